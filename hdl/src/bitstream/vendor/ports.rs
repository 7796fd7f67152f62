//! Blocks that a vendor's tools bring: their ports, a module for a check in place of them, and their instances.

use std::fmt::Write;

use crate::emit::{Design, Port};

/// A vendor's block. Its ports stand in a table, a line each: direction, width in bits, name.
#[derive(Clone, Debug)]
pub struct Block {
    /// Name of the module.
    pub module: &'static str,
    /// Names of the parameters that are set here.
    pub parameters: &'static [&'static str],
    /// The ports.
    pub ports: Vec<Port>,
}

impl Block {
    /// A block of this table.
    pub fn new(module: &'static str, parameters: &'static [&'static str], table: &str) -> Self {
        let lines = table.lines().map(str::trim);
        let ports = lines.filter(|line| !line.is_empty()).map(|line| {
            let mut fields = line.split_whitespace();
            let mut field = || fields.next().unwrap_or_default().to_string();
            let input = field() == "in";
            let width = field().parse().expect("the tables have widths");
            Port {
                name: field(),
                width,
                input,
            }
        });
        Self {
            module,
            parameters,
            ports: ports.collect(),
        }
    }

    fn port(&self, name: &str) -> Option<&Port> {
        self.ports.iter().find(|port| port.name == name)
    }

    /// The module without contents, for yosys.
    pub fn black_box(&self) -> String {
        self.module_of("(* blackbox *)\n", |_| None)
    }

    /// The module with outputs that `drive` gives, for a simulation.
    pub fn stub(&self, drive: impl Fn(&Port) -> Option<String>) -> String {
        self.module_of("", drive)
    }

    fn module_of(&self, before: &str, drive: impl Fn(&Port) -> Option<String>) -> String {
        let ports: Vec<_> = self.ports.iter().map(declaration).collect();
        let mut out = format!(
            "{before}module {}(\n    {}\n);\n",
            self.module,
            ports.join(",\n    ")
        );
        for parameter in self.parameters {
            let _ = writeln!(out, "parameter {parameter} = 0;");
        }
        for port in self.ports.iter().filter(|port| !port.input) {
            if let Some(value) = drive(port) {
                let _ = writeln!(out, "assign {} = {value};", port.name);
            }
        }
        out + "endmodule\n"
    }

    /// An instance. What `connect` gives nothing for is 0 where it comes in, and open where it goes out.
    ///
    /// # Errors
    /// Where `settings` or one of `known`, the names that `connect` knows, are not of this block.
    pub fn instance(
        &self,
        name: &str,
        settings: &[(&str, String)],
        known: &[String],
        connect: impl Fn(&Port) -> Option<String>,
    ) -> Result<String, String> {
        let module = self.module;
        if let Some(lost) = known.iter().find(|known| self.port(known).is_none()) {
            return Err(format!("{module} has no port {lost}"));
        }
        if let Some((lost, _)) = settings.iter().find(|(s, _)| !self.parameters.contains(s)) {
            return Err(format!("{module} has no parameter {lost}"));
        }
        let settings: Vec<_> = settings
            .iter()
            .map(|(key, value)| format!(".{key}({value})"))
            .collect();
        let settings = match &settings[..] {
            [] => String::new(),
            settings => format!(" #({})", settings.join(", ")),
        };
        let ports = self.ports.iter().map(|port| {
            let value = connect(port).unwrap_or_else(|| match port.input {
                true => format!("{}'d0", port.width),
                false => String::new(),
            });
            format!("    .{}({value})", port.name)
        });
        let ports: Vec<_> = ports.collect();
        Ok(format!(
            "{module}{settings} {name} (\n{}\n);\n",
            ports.join(",\n")
        ))
    }
}

/// `[7:0] `, or nothing for a bit.
pub fn range(width: usize) -> String {
    match width {
        1 => String::new(),
        _ => format!("[{}:0] ", width - 1),
    }
}

/// A port in a module's head.
pub fn declaration(port: &Port) -> String {
    let direction = if port.input { "input" } else { "output" };
    format!("{direction} wire {}{}", range(port.width), port.name)
}

/// Wires for ports, behind a prefix.
pub fn wires<'a>(ports: impl IntoIterator<Item = &'a Port>, prefix: &str) -> String {
    let wires = ports
        .into_iter()
        .map(|port| format!("wire {}{prefix}{};\n", range(port.width), port.name));
    wires.collect()
}

/// An instance of an emitted block.
pub fn instance(design: &Design, name: &str, connect: impl Fn(&Port) -> String) -> String {
    let ports: Vec<_> = design
        .ports
        .iter()
        .map(|port| format!("    .{}({})", port.name, connect(port)))
        .collect();
    format!("{} {name} (\n{}\n);\n", design.top, ports.join(",\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> Block {
        Block::new("core", &["WIDTH"], "in 1 clk\n out 8 data\n\n in 4 mode\n")
    }

    #[test]
    fn a_block_is_what_its_table_says() {
        let text = block().black_box();
        assert!(
            text.starts_with("(* blackbox *)\nmodule core(\n    input wire clk,\n"),
            "{text}"
        );
        assert!(
            text.contains("output wire [7:0] data") && text.contains("parameter WIDTH"),
            "{text}"
        );
        let text = block().stub(|port| Some(format!("outside.{}", port.name)));
        assert!(
            text.contains("assign data = outside.data;") && !text.contains("blackbox"),
            "{text}"
        );
    }

    #[test]
    fn an_instance_connects_every_port_and_no_other() {
        let connect = |port: &Port| (port.name == "clk").then(|| "clock".to_string());
        let known = ["clk".to_string()];
        let settings = [("WIDTH", "8".to_string())];
        let text = block().instance("it", &settings, &known, connect).unwrap();
        let expected =
            "core #(.WIDTH(8)) it (\n    .clk(clock),\n    .data(),\n    .mode(4'd0)\n);\n";
        assert_eq!(text, expected);
        let lost = block().instance("it", &[], &["clock".to_string()], connect);
        assert_eq!(lost.unwrap_err(), "core has no port clock");
        let lost = block().instance("it", &[("DEPTH", String::new())], &[], connect);
        assert_eq!(lost.unwrap_err(), "core has no parameter DEPTH");
    }
}
