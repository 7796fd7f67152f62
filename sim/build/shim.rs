//! The seam between C++ and Rust, generated from a block's ports.
//!
//! Verilator keeps each port in a plain integer or array of 32-bit words. The C++ side hands out their
//! addresses once per model; Rust then reads and writes ports without a call.

use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

use gatewei_hdl::emit::{Design, Port};

/// Name of every block's clock.
const CLOCK: &str = "clock";

/// What both sides of the seam are generated from.
pub struct Model {
    /// Name of the top module.
    pub top: String,
    ports: Vec<Port>,
    fingerprint: u64,
    /// It has an input that chooses a mutant.
    mutants: bool,
    /// It counts what runs.
    coverage: bool,
}

impl Model {
    /// The seam of a design.
    pub fn new(design: &Design, mutants: bool, coverage: bool) -> Self {
        Self {
            mutants,
            coverage,
            top: design.top.clone(),
            ports: design.ports.clone(),
            fingerprint: {
                let mut hasher = DefaultHasher::new();
                design.verilog.hash(&mut hasher);
                hasher.finish()
            },
        }
    }

    /// Name of the C++ class and of the library.
    pub fn prefix(&self) -> String {
        format!("V{}", self.top)
    }

    /// The C++ side.
    pub fn cpp(&self, wave: bool) -> String {
        let (prefix, top) = (self.prefix(), &self.top);
        let mut addresses = String::new();
        for (i, port) in self.ports.iter().enumerate() {
            let _ = writeln!(
                addresses,
                "    out[{i}] = address(m.{});",
                mangle(&port.name)
            );
        }
        let clocked = self.ports.iter().any(|p| p.name == CLOCK);
        let tick = if clocked {
            "h.model.clock = 1;\n    step(h);\n    h.model.clock = 0;\n    step(h);"
        } else {
            "step(h);"
        };
        let (include, member, dump, open) = if wave {
            (
                "#include \"verilated_fst_c.h\"\n#include <memory>\n",
                "    std::unique_ptr<VerilatedFstC> wave;\n",
                "    if (h.wave) {\n        h.context.timeInc(5);\n        h.wave->dump(h.context.time());\n    }\n",
                format!(
                    "void {prefix}_wave(void* p, const char* file) {{\n    auto& h = of(p);\n    \
                     h.wave = std::make_unique<VerilatedFstC>();\n    h.model.trace(h.wave.get(), 99);\n    \
                     h.wave->open(file);\n}}\n"
                ),
            )
        } else {
            ("", "", "", String::new())
        };
        // With waves, tracing must be announced before the model is built; one step is half a cycle of
        // 10 ns (100 MHz).
        let announce = if wave {
            "        context.traceEverOn(true);\n        context.timeunit(-9);\n        context.timeprecision(-9);\n"
        } else {
            ""
        };
        // Which mutant of the block a process runs; 0: none.
        let (library, choose) = if self.mutants {
            (
                "#include <cstdlib>\n",
                "const char* n = std::getenv(\"MUTANT\");\n        model.mutant = n ? std::atoi(n) : 0;\n        ",
            )
        } else {
            ("", "")
        };
        // A model that ends adds a file of its own; which process and which model, its name says.
        let (cover, end) = if self.coverage {
            (
                "#include \"verilated_cov.h\"\n#include <atomic>\n#include <cstdlib>\n#include <string>\n#include <unistd.h>\n",
                format!(
                    "{{\n        model.final();\n        if (const char* folder = std::getenv(\"COVERAGE\")) {{\n            \
                     static std::atomic<unsigned> models{{0}};\n            \
                     const std::string name = std::string(folder) + \"/{top}-\" + std::to_string(getpid()) + \"-\"\n                \
                     + std::to_string(models++) + \".dat\";\n            \
                     context.coveragep()->write(name.c_str());\n        }}\n    }}"
                ),
            )
        } else {
            ("", "{ model.final(); }".into())
        };
        format!(
            "// Generated from the ports of `{top}`.\n\
             #include \"verilated.h\"\n{cover}{library}{include}#include \"{prefix}.h\"\n\
             namespace {{\n\
             struct Holder {{\n    VerilatedContext context;\n    {prefix} model;\n{member}    \
             Holder() : model{{prepare(), \"{top}\"}} {{ {choose}model.eval(); }}\n    \
             ~Holder() {end}\n    \
             VerilatedContext* prepare() {{\n{announce}        return &context;\n    }}\n\
             }};\n\
             Holder& of(void* p) {{ return *static_cast<Holder*>(p); }}\n\
             template <class T> void* address(T& port) {{ return &port; }}\n\
             template <std::size_t N> void* address(VlWide<N>& port) {{ return port.data(); }}\n\
             void step(Holder& h) {{\n    h.model.eval();\n{dump}}}\n\
             }}\n\
             extern \"C\" {{\n\
             void* {prefix}_new() {{ return new Holder; }}\n\
             void {prefix}_delete(void* p) {{ delete static_cast<Holder*>(p); }}\n\
             void {prefix}_eval(void* p) {{ step(of(p)); }}\n\
             void {prefix}_tick(void* p) {{\n    auto& h = of(p);\n    {tick}\n}}\n\
             void {prefix}_ports(void* p, void** out) {{\n    auto& m = of(p).model;\n{addresses}}}\n\
             {open}}}\n"
        )
    }
}

/// The Rust side of all models: `mod symbols` and the table `MODELS`.
pub fn table(models: &[Model], wave: bool) -> String {
    let mut symbols = String::new();
    let mut rows = String::new();
    for model in models {
        let (prefix, top) = (model.prefix(), &model.top);
        for f in ["delete", "eval", "tick"] {
            let _ = writeln!(symbols, "    fn {prefix}_{f}(model: *mut c_void);");
        }
        let _ = writeln!(symbols, "    fn {prefix}_new() -> *mut c_void;");
        let _ = writeln!(
            symbols,
            "    fn {prefix}_ports(model: *mut c_void, out: *mut *mut c_void);"
        );
        let open = if wave {
            let _ = writeln!(
                symbols,
                "    fn {prefix}_wave(model: *mut c_void, file: *const c_char);"
            );
            format!("Some({prefix}_wave)")
        } else {
            "None".into()
        };
        let mut ports = String::new();
        for Port { name, width, input } in &model.ports {
            let _ = writeln!(
                ports,
                "        Descriptor {{ name: {name:?}, width: {width}, input: {input} }},"
            );
        }
        let _ = writeln!(
            rows,
            "    Table {{ name: {top:?}, fingerprint: \"{:016x}\", new: {prefix}_new, delete: {prefix}_delete, eval: {prefix}_eval, \
             tick: {prefix}_tick, addresses: {prefix}_ports, wave: {open}, ports: &[\n{ports}    ] }},",
            model.fingerprint
        );
    }
    format!("unsafe extern \"C\" {{\n{symbols}}}\n\nstatic MODELS: &[Table] = &[\n{rows}];\n")
}

/// A port's name in C++, as Verilator encodes it: letters, digits and single underscores stay; a double
/// underscore and anything else become `__0` and two hexadecimal digits.
fn mangle(name: &str) -> String {
    let mut out = String::new();
    let mut previous = ' ';
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || (c == '_' && previous != '_') {
            out.push(c);
        } else {
            let _ = write!(out, "__0{:02X}", u32::from(c));
        }
        previous = c;
    }
    out
}
