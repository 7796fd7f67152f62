//! `gatewei-hdl`: lists and emits the hardware blocks.

fn main() {
    for entry in gatewei_hdl::catalog::blocks() {
        match (entry.design)() {
            Ok(design) => println!("{}", design.verilog),
            Err(error) => {
                eprintln!("{}: {error}", entry.name);
                std::process::exit(1);
            }
        }
    }
}
