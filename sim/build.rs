//! Emits every block of the catalog as Verilog, verilates it, compiles the C++ and writes the table by
//! which Rust finds models and ports (`models.rs` in `OUT_DIR`).
//!
//! Verilator and C++ take minutes, so their products are kept in `<target>/verilated/`, under a hash of
//! everything they depend on. A change of one block rebuilds that block alone, and profiles and features
//! share what is equal.

#[path = "build/compile.rs"]
mod compile;
#[path = "build/shim.rs"]
mod shim;
#[path = "build/verilator.rs"]
mod verilator;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs};

use compile::Cache;
use gatewei_hdl::catalog::Entry;
use verilator::Verilator;

/// Names a folder of blocks, `NAME.v` with an input `mutant`, to be built in place of the emitted ones.
const MUTANTS: &str = "GATEWEI_MUTANTS";

/// What the build script fails with: a sentence for the terminal.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() {
    if let Err(failure) = build() {
        // Cargo shows what a failing build script prints; a panic message would bury it.
        eprintln!("error: {failure}");
        std::process::exit(1);
    }
}

fn build() -> Result<(), Failure> {
    for path in ["build.rs", "build"] {
        println!("cargo:rerun-if-changed={path}");
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let has = |feature: &str| env::var_os(format!("CARGO_FEATURE_{feature}")).is_some();
    let (wave, coverage) = (has("WAVE"), has("COVERAGE"));
    let verilator = Verilator::find(&out, wave, coverage)?;
    let root = verilator.root.clone();
    let cache = Cache::new(&out, verilator)?;
    let mutants = mutants();

    let entries = selected();
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, shim::Model)>> = Mutex::new(Vec::new());
    let failed: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let jobs = env::var("NUM_JOBS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1);
    std::thread::scope(|scope| {
        // The runtime is one job among the blocks'.
        scope.spawn(|| {
            if let Err(e) = cache.runtime() {
                lock(&failed).push(e.to_string());
            }
        });
        for _ in 0..jobs {
            scope.spawn(|| {
                // The largest blocks stand last in the catalog: begin with them.
                while let Some(i) = entries
                    .len()
                    .checked_sub(1 + next.fetch_add(1, Ordering::Relaxed))
                {
                    match block(&cache, entries[i], mutants.as_deref(), coverage) {
                        Ok(model) => lock(&done).push((i, model)),
                        Err(e) => lock(&failed).push(format!("block `{}`: {e}", entries[i].name)),
                    }
                }
            });
        }
    });
    let failed = lock(&failed);
    if !failed.is_empty() {
        return Err(failed.join("\nerror: ").into());
    }
    let mut models = std::mem::take(&mut *lock(&done));
    models.sort_by_key(|(i, _)| *i);
    let models: Vec<_> = models.into_iter().map(|(_, model)| model).collect();
    fs::write(out.join("models.rs"), shim::table(&models, wave))?;
    link(&cache, &out, &models)?;
    // Behind its users.
    if coverage { count(&root) } else { Ok(()) }
}

/// The blocks to build: the cards, with feature `blocks` everything else of the catalog and tops of boards, and with
/// feature `lanes4` the card of four lanes.
fn selected() -> Vec<Entry> {
    let all = env::var_os("CARGO_FEATURE_BLOCKS").is_some();
    let mut entries = gatewei_hdl::catalog::blocks();
    let is_top = |name: &str| name.starts_with("card") || name.ends_with("_card");
    entries.retain(|entry| all || is_top(entry.name));
    if all {
        entries.extend(gatewei_hdl::catalog::tops());
    }
    if env::var_os("CARGO_FEATURE_LANES4").is_some() {
        entries.extend(gatewei_hdl::catalog::large());
    }
    entries
}

/// What is not asked of mutants: yosys has written their text, and one of them may be a loop.
const WAIVED: &[&str] = &[
    "ALWCOMBORDER",
    "BLKSEQ",
    "CASEINCOMPLETE",
    "CASEOVERLAP",
    "CMPCONST",
    "DECLFILENAME",
    "GENUNNAMED",
    "IMPLICIT",
    "LATCH",
    "MULTIDRIVEN",
    "PINMISSING",
    "PROCASSINIT",
    "SELRANGE",
    "UNDRIVEN",
    "UNOPTFLAT",
    "UNSIGNED",
    "UNUSEDPARAM",
    "UNUSEDSIGNAL",
    "VARHIDDEN",
    "WIDTHCONCAT",
    "WIDTHEXPAND",
    "WIDTHTRUNC",
];

/// The folder of Verilog with mutants in it, where there is one (`make mutants`).
fn mutants() -> Option<PathBuf> {
    println!("cargo:rerun-if-env-changed={MUTANTS}");
    let folder = PathBuf::from(env::var_os(MUTANTS)?);
    println!("cargo:rerun-if-changed={}", folder.display());
    Some(folder)
}

/// Emits, verilates and compiles one block, or what `mutants` has in its place.
fn block(
    cache: &Cache,
    entry: Entry,
    mutants: Option<&Path>,
    coverage: bool,
) -> Result<shim::Model, Failure> {
    let mut design = (entry.design)()?;
    let file = mutants.map(|folder| folder.join(format!("{}.v", entry.name)));
    let file = file.filter(|file| file.is_file());
    if let Some(file) = &file {
        design.verilog = fs::read_to_string(file)?;
        for code in WAIVED {
            design
                .verilog
                .insert_str(0, &format!("/* verilator lint_off {code} */\n"));
        }
    }
    let model = shim::Model::new(&design, file.is_some(), coverage);
    cache.block(&model, &design.verilog)?;
    Ok(model)
}

/// Compiles the part of Verilator's runtime that counts.
fn count(root: &Path) -> Result<(), Failure> {
    let include = root.join("include");
    let mut build = cc::Build::new();
    build
        .cpp(true)
        .std("c++17")
        .warnings(false)
        .include(&include);
    build
        .include(include.join("vltstd"))
        .define("VM_COVERAGE", "1");
    build.file(include.join("verilated_cov.cpp"));
    Ok(build.try_compile("verilated_cov")?)
}

/// Copies the libraries out of the cache, which others may clean, and tells the linker.
fn link(cache: &Cache, out: &Path, models: &[shim::Model]) -> Result<(), Failure> {
    let dir = out.join("lib");
    fs::create_dir_all(&dir)?;
    println!("cargo:rustc-link-search=native={}", dir.display());
    // Users before what they use.
    let names = models
        .iter()
        .map(|m| m.prefix())
        .chain([compile::RUNTIME.to_owned()]);
    for name in names {
        let file = format!("lib{name}.a");
        fs::copy(cache.library(&name)?, dir.join(&file))?;
        println!("cargo:rustc-link-lib=static={name}");
    }
    println!("cargo:rustc-link-lib=stdc++");
    println!("cargo:rustc-link-lib=pthread");
    Ok(())
}

/// Locks; a panic of another job is reported where it happened.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
