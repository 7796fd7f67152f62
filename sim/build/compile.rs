//! Compiles models and Verilator's runtime into static libraries, and keeps them.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::{env, fs};

use crate::shim::Model;
use crate::verilator::Verilator;
use crate::{Failure, lock};

/// Name of the runtime's library.
pub const RUNTIME: &str = "verilated";

/// Sources of the runtime that single-threaded models need.
const SOURCES: &[&str] = &["verilated.cpp", "verilated_threads.cpp"];

/// Generated C++ is compiled in units of about this many bytes: small enough for all cores to work on a
/// large model, large enough to read the common headers seldom.
const UNIT_BYTES: u64 = 600_000;

/// Optimisation level of what runs every cycle: a third level gains 2 % of speed for half as much
/// compile time again.
const FAST: u32 = 2;
/// Optimisation level of what runs once: constructors and tables.
const SLOW: u32 = 0;

/// Library directories per name that stay: features and profiles in use side by side.
const KEPT: usize = 4;

/// The libraries, by a hash of what they are made of.
pub struct Cache {
    dir: PathBuf,
    verilator: Verilator,
    includes: Vec<PathBuf>,
    libraries: Mutex<BTreeMap<String, PathBuf>>,
}

impl Cache {
    /// The cache in the target directory that `out` (`OUT_DIR`) lies in.
    pub fn new(out: &Path, verilator: Verilator) -> Result<Self, Failure> {
        // <target>/<profile>/build/<package>/out
        let target = out
            .ancestors()
            .nth(4)
            .ok_or("OUT_DIR is not inside a target directory")?;
        let dir = target.join("verilated");
        fs::create_dir_all(&dir)?;
        let mut includes = vec![
            verilator.root.join("include"),
            verilator.root.join("include/vltstd"),
        ];
        if verilator.wave {
            for library in ["DEP_Z_INCLUDE", "DEP_LZ4_INCLUDE"] {
                let dir = env::var(library).map_err(|_| {
                    format!(
                        "{library} is not set; feature `wave` needs it from its library's crate"
                    )
                })?;
                includes.push(dir.into());
            }
        }
        Ok(Self {
            dir,
            verilator,
            includes,
            libraries: Mutex::default(),
        })
    }

    /// Where the library of this name is, once built.
    pub fn library(&self, name: &str) -> Result<PathBuf, Failure> {
        let found = lock(&self.libraries).get(name).cloned();
        found.ok_or_else(|| format!("library {name} was not built").into())
    }

    /// Verilator's runtime.
    pub fn runtime(&self) -> Result<(), Failure> {
        self.cached(RUNTIME, &[], |dir| {
            let include = self.verilator.root.join("include");
            let mut sources: Vec<_> = SOURCES.iter().map(|s| include.join(s)).collect();
            if self.verilator.wave {
                sources.push(include.join("verilated_fst_c.cpp"));
            }
            self.compile(dir, RUNTIME, FAST, &sources)
        })
    }

    /// A block's model with its shim.
    pub fn block(&self, model: &Model, verilog: &str) -> Result<(), Failure> {
        let prefix = model.prefix();
        let shim = model.cpp(self.verilator.wave);
        let flags = self.verilator.flags(&prefix, &model.top).join(" ");
        self.cached(&prefix, &[verilog, &shim, &flags], |dir| {
            self.verilator.run(dir, &prefix, &model.top, verilog)?;
            let file = dir.join("shim.cpp");
            fs::write(&file, &shim)?;
            let (slow, mut fast) = generated(dir)?;
            fast.push(file);
            let mut objects = self.objects(dir, FAST, &units(dir, "fast", &fast)?)?;
            objects.extend(self.objects(dir, SLOW, &units(dir, "slow", &slow)?)?);
            let mut build = self.tools(dir, FAST);
            for object in objects {
                build.object(object);
            }
            build.try_compile(&prefix)?;
            Ok(())
        })
    }

    /// The library `name` from the cache, or made by `make` in a directory of its own and then put there.
    fn cached(
        &self,
        name: &str,
        of: &[&str],
        make: impl FnOnce(&Path) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut hasher = DefaultHasher::new();
        (
            of,
            &self.verilator.version,
            self.verilator.wave,
            env!("CARGO_PKG_VERSION"),
        )
            .hash(&mut hasher);
        // How this file compiles is part of it.
        (
            include_str!("compile.rs"),
            env::var("TARGET").ok(),
            env::var("CXXFLAGS").ok(),
        )
            .hash(&mut hasher);
        let home = self.dir.join(format!("{name}-{:016x}", hasher.finish()));
        let library = home.join(format!("lib{name}.a"));
        if !library.is_file() {
            // Made aside and moved, so that two builds at once do not see each other's halves.
            let aside = self
                .dir
                .join(format!("{name}-making-{}", std::process::id()));
            let _ = fs::remove_dir_all(&aside);
            fs::create_dir_all(&aside)?;
            make(&aside)?;
            let _ = fs::remove_dir_all(&home);
            if fs::rename(&aside, &home).is_err() && !library.is_file() {
                return Err(
                    format!("cannot move {} to {}", aside.display(), home.display()).into(),
                );
            }
            self.clean(name)?;
        }
        lock(&self.libraries).insert(name.into(), library);
        Ok(())
    }

    /// Removes the oldest directories of a library.
    fn clean(&self, name: &str) -> Result<(), Failure> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.dir)?.flatten() {
            let file = entry.file_name();
            let hash = file
                .to_str()
                .and_then(|f| f.strip_prefix(name)?.strip_prefix('-'));
            if hash.is_some_and(|h| h.len() == 16 && h.bytes().all(|b| b.is_ascii_hexdigit())) {
                found.push((entry.metadata()?.modified()?, entry.path()));
            }
        }
        found.sort();
        let surplus = found.len().saturating_sub(KEPT);
        for (_, path) in found.into_iter().take(surplus) {
            let _ = fs::remove_dir_all(path);
        }
        Ok(())
    }

    fn compile(
        &self,
        dir: &Path,
        name: &str,
        level: u32,
        files: &[PathBuf],
    ) -> Result<(), Failure> {
        let mut build = self.tools(dir, level);
        build.files(files).try_compile(name)?;
        Ok(())
    }

    fn objects(&self, dir: &Path, level: u32, files: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
        let mut build = self.tools(dir, level);
        Ok(build.files(files).try_compile_intermediates()?)
    }

    /// The compiler, writing to `dir`. Never tuned to this machine: what is built here may run elsewhere.
    fn tools(&self, dir: &Path, level: u32) -> cc::Build {
        let mut build = cc::Build::new();
        build
            .cpp(true)
            .std("c++17")
            .cargo_metadata(false)
            .cargo_warnings(false)
            .opt_level(level)
            .debug(false)
            .warnings(false)
            .flag("-w")
            .define("VL_TIME_CONTEXT", None)
            .define("VM_COVERAGE", "0")
            .define("VM_SC", "0")
            .define("VM_TRACE", if self.verilator.wave { "1" } else { "0" })
            .define("VM_TRACE_FST", if self.verilator.wave { "1" } else { "0" })
            .define("VM_TRACE_VCD", "0")
            .define("VM_TRACE_SAIF", "0")
            .include(dir)
            .includes(&self.includes)
            .out_dir(dir);
        build
    }
}

/// Verilator's C++ in `dir`: what runs seldom (`…Slow….cpp`, `…Syms.cpp`), and what runs always.
fn generated(dir: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Failure> {
    let mut files: Vec<PathBuf> = fs::read_dir(dir)?.flatten().map(|e| e.path()).collect();
    files.retain(|p| p.extension().is_some_and(|x| x == "cpp") && !p.ends_with("shim.cpp"));
    files.sort();
    let seldom = |p: &PathBuf| {
        let name = p.file_name().unwrap_or_default().to_string_lossy();
        name.contains("Slow") || name.contains("Syms") || name.contains("ConstPool")
    };
    Ok(files.into_iter().partition(seldom))
}

/// Groups C++ files into units that include them.
fn units(dir: &Path, name: &str, files: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut out = Vec::new();
    let (mut text, mut bytes) = (String::new(), 0);
    for (i, file) in files.iter().enumerate() {
        text += &format!(
            "#include \"{}\"\n",
            file.file_name().unwrap_or_default().to_string_lossy()
        );
        bytes += fs::metadata(file)?.len();
        if bytes >= UNIT_BYTES || i + 1 == files.len() {
            let unit = dir.join(format!("unit_{name}_{}.cc", out.len()));
            fs::write(&unit, std::mem::take(&mut text))?;
            out.push(unit);
            bytes = 0;
        }
    }
    Ok(out)
}
