//! The tops of boards with a vendor's PCIe are whole: yosys finds every module and every port, with the vendor's
//! blocks as black boxes.

use std::path::PathBuf;

use gatewei_hdl::bitstream::{Board, Project};
use gatewei_hdl::tools::ToolError;

const BOARDS: [&str; 3] = ["acorn-cle215p", "aws-f2", "alveo-u55c"];

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("gatewei-boards-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn every_top_elaborates_around_its_vendor_s_blocks() {
    for name in BOARDS {
        let board = Board::load(name).unwrap();
        let project = Project::new(&board, Some(1)).unwrap();
        let folder = folder(name);
        project.write(&folder).unwrap();
        let checked = project.elaborate(&folder);
        std::fs::remove_dir_all(&folder).unwrap();
        match checked {
            Err(error @ ToolError::Missing { .. }) => println!("skipped {name}: {error}"),
            checked => checked.unwrap_or_else(|error| panic!("{name}: {error}")),
        }
    }
}

#[test]
fn a_top_that_misses_a_port_or_a_module_is_refused() {
    let board = Board::load("acorn-cle215p").unwrap();
    let project = Project::new(&board, None).unwrap();
    let folder = folder("broken");
    project.write(&folder).unwrap();
    let boxes = folder.join("check/boxes.v");
    let whole = std::fs::read_to_string(&boxes).unwrap();
    for (from, to) in [
        (
            "input wire [31:0] mmap_slave_axi_araddr",
            "input wire [31:0] araddr",
        ),
        ("module litepcie_core(", "module litepcie("),
    ] {
        assert!(whole.contains(from), "{from}");
        std::fs::write(&boxes, whole.replace(from, to)).unwrap();
        match project.elaborate(&folder) {
            Err(ToolError::Refused { output, .. }) => {
                assert!(output.contains("litepcie_core"), "{output}");
            }
            Err(error @ ToolError::Missing { .. }) => println!("skipped: {error}"),
            other => panic!("{to}: {other:?}"),
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_number_of_lanes_that_no_card_has_is_refused() {
    for name in BOARDS {
        let board = Board::load(name).unwrap();
        let refused = Project::new(&board, Some(3)).err().unwrap().to_string();
        assert!(
            refused.contains("3 lanes") && refused.contains("board.toml"),
            "{refused}"
        );
    }
}
