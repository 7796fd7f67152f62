//! From a rust-hdl block to Verilog.
//!
//! rust-hdl's own printer leaves widths to Verilog's context rules, which differ from Rust's: an
//! intermediate result may keep a carry that Rust drops. The printer here knows the declared width of every
//! signal and prints each expression so that it means in Verilog what it means in Rust, or refuses
//! with an [`EmitError`] that names block, signal and expression.

mod error;

use rust_hdl_core::prelude::*;

pub use error::EmitError;

/// One port of the top module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Name in Rust and in Verilog.
    pub name: String,
    /// Width in bits, at least 1.
    pub width: usize,
    /// Driven from outside.
    pub input: bool,
}

/// A block as Verilog.
#[derive(Clone, Debug)]
pub struct Design {
    /// Name of the top module.
    pub top: String,
    /// The whole text: the top module and every module below it, each distinct body once.
    pub verilog: String,
    /// Ports of the top module in declaration order.
    pub ports: Vec<Port>,
    /// For every instance its path (`card.lane_0.alu`) and the module that it is an instance of.
    pub modules: Vec<(String, String)>,
}

/// Stack that building and walking a large block needs: blocks are plain values, and a 256-bit signal takes
/// about a kilobyte.
const STACK: usize = 512 << 20;

/// Prints `block` as a module called `top`, with everything below it.
///
/// Inputs of the top are connected to its ports; nothing has to be connected beforehand.
///
/// # Errors
/// An [`EmitError`] when the block cannot be printed exactly.
pub fn design<B: Block>(top: &str, mut block: B) -> Result<Design, EmitError> {
    block.connect_all();
    check_all(&block).map_err(|e| EmitError::Check {
        block: top.into(),
        detail: format!("{e:?}"),
    })?;
    let mut ports = Ports::default();
    block.accept(top, &mut ports);
    let mut modules = ModuleDefines::default();
    block.accept(top, &mut modules);
    Ok(Design {
        top: top.into(),
        verilog: modules.defines(),
        ports: ports.found,
        modules: ports.modules,
    })
}

/// Runs `build` on a thread with a stack large enough for any block of this crate.
///
/// # Errors
/// Those of `build`; [`EmitError::Thread`] when the thread cannot be started or panics.
pub fn on_large_stack(build: fn() -> Result<Design, EmitError>) -> Result<Design, EmitError> {
    std::thread::Builder::new()
        .name("emit".into())
        .stack_size(STACK)
        .spawn(build)
        .map_err(|e| EmitError::Thread {
            detail: e.to_string(),
        })?
        .join()
        .unwrap_or_else(|_| {
            Err(EmitError::Thread {
                detail: "it panicked".into(),
            })
        })
}

#[derive(Default)]
struct Ports {
    path: Vec<String>,
    found: Vec<Port>,
    modules: Vec<(String, String)>,
}

impl Probe for Ports {
    fn visit_start_scope(&mut self, name: &str, _: &dyn Block) {
        self.path.push(name.into());
        self.modules
            .push((self.path.join("."), self.path.join("$")));
    }
    fn visit_end_scope(&mut self, _: &str, _: &dyn Block) {
        self.path.pop();
    }
    fn visit_atom(&mut self, name: &str, signal: &dyn Atom) {
        if self.path.len() == 1 && signal.kind().is_parameter() {
            let input = signal.kind() == AtomKind::InputParameter;
            self.found.push(Port {
                name: name.into(),
                width: signal.bits(),
                input,
            });
        }
    }
}
