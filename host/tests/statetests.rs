//! The public state tests on the CPU executors.

mod common;
mod soft;

use std::{
    collections::BTreeMap, convert::Infallible, num::NonZeroUsize, path::PathBuf,
    thread::available_parallelism, time::Instant,
};

use gatewei::card::CardExecutor;
use gatewei::{
    Engine, Executor, Sequential,
    statetest::{self, Options, Summary, Verdict},
};
use gatewei_driver::Card;

/// Cases in the archive.
const CASES: u64 = 21_458;

fn fixtures() -> Option<Vec<PathBuf>> {
    let folder = common::data("statetests")?;
    Some(statetest::find(&folder).expect("the folder has fixtures"))
}

/// Runs all cases and prints what failed.
fn run(
    files: &[PathBuf],
    options: Options,
    executor: impl Fn() -> Box<dyn Executor> + Sync,
) -> Summary {
    let started = Instant::now();
    let summary = statetest::run(
        files,
        options,
        || Ok::<_, Infallible>(executor()),
        |report| match report {
            Ok((case, report)) => {
                if let Verdict::Failed(reason) = &report.verdict {
                    let file = case.file.file_name().unwrap_or_default();
                    println!(
                        "FAILED {file:?} {} {} {:?}: {reason}",
                        case.name, case.fork, case.indexes
                    );
                }
            }
            Err(error) => println!("FAILED {error}"),
        },
        || {},
    );
    let Ok(summary) = summary;
    println!("{summary:?} in {:.1} s", started.elapsed().as_secs_f64());
    summary
}

fn all_threads() -> Options {
    Options {
        threads: available_parallelism().map_or(1, usize::from),
        ..Options::default()
    }
}

#[test]
fn sequential_revm_passes() {
    let Some(files) = fixtures() else { return };
    let summary = run(&files, all_threads(), || Box::new(Sequential));
    let skipped: u64 = summary.skipped.values().sum();
    assert_eq!(summary.failed, 0);
    assert_eq!(summary.passed + skipped, CASES);
}

#[test]
fn the_engine_passes() {
    let Some(files) = fixtures() else { return };
    let summary = run(&files, all_threads(), || {
        Box::new(Engine::builder().threads(NonZeroUsize::MIN).build())
    });
    let skipped: u64 = summary.skipped.values().sum();
    assert_eq!(summary.failed, 0);
    assert_eq!(summary.passed + skipped, CASES);
}

/// Folders of loops that fill their gas limit: a card in software starts over with every answer.
const TOO_LONG_FOR_SOFTWARE: [&str; 4] = [
    "vmPerformance",
    "stTimeConsuming",
    "stQuadraticComplexityTest",
    "stAttackTest",
];

/// Frames in frames, told to a card in software.
#[test]
fn a_card_in_software_passes() {
    let Some(mut files) = fixtures() else { return };
    files.retain(|path| {
        let mut folders = path.iter();
        !folders.any(|folder| TOO_LONG_FOR_SOFTWARE.iter().any(|skip| folder == *skip))
    });
    let summary = run(&files, all_threads(), || {
        let (fake, _) = soft::card(1);
        let card = Card::open(fake, gatewei_driver::Options::default());
        Box::new(CardExecutor::new(card.expect("the card opens")))
    });
    assert_eq!(summary.failed, 0);
    assert!(summary.passed > 10_000, "{summary:?}");
}

/// The folders whose cases the simulated card runs here; `make soak` runs all of them.
#[cfg(feature = "sim")]
const CARD_FOLDERS: [&str; 12] = [
    "Cancun",
    "VMTests/vmArithmeticTest",
    "VMTests/vmBitwiseLogicOperation",
    "VMTests/vmLogTest",
    "stExtCodeHash",
    "stLogTests",
    "stMemoryTest",
    "stRefundTest",
    "stSLoadTest",
    "stSStoreTest",
    "stShift",
    "stStackTests",
];

#[cfg(feature = "sim")]
fn on_the_card(files: &[PathBuf]) -> Summary {
    run(files, all_threads(), || {
        let card = gatewei::card::sim::executor(Default::default(), Default::default());
        Box::new(card.expect("the simulated card opens"))
    })
}

#[cfg(feature = "sim")]
#[test]
fn the_simulated_card_passes() {
    let Some(folder) = common::data("statetests") else {
        return;
    };
    let files: Vec<PathBuf> = CARD_FOLDERS
        .iter()
        .flat_map(|name| {
            let folder = folder.join("GeneralStateTests").join(name);
            statetest::find(&folder).expect("the folder has fixtures")
        })
        .collect();
    let summary = on_the_card(&files);
    assert_eq!(summary.failed, 0);
    assert!(summary.passed >= 2_000, "{summary:?}");
}

/// Loops that fill their gas limit, and 50,000 calls with as many bytes each: from more than two minutes to hours of
/// simulation a file. They pass on sequential and cpu; `gatewei statetest FILE --executor card` runs one.
#[cfg(feature = "sim")]
const TOO_LONG_FOR_SIMULATION: [&str; 11] = [
    "loopExp.json",
    "loopMul.json",
    "CALLBlake2f_MaxRounds.json",
    "Call50000_identity.json",
    "Call50000_identity2.json",
    "Call50000_rip160.json",
    "Call50000_sha256.json",
    "Callcode50000.json",
    "QuadraticComplexitySolidity_CallDataCopy.json",
    "Return50000_2.json",
    "static_Call50000_sha256.json",
];

/// All the others: `make soak`.
#[cfg(feature = "sim")]
#[test]
#[ignore = "takes long: make soak"]
fn the_simulated_card_passes_all() {
    let Some(mut files) = fixtures() else { return };
    let all = files.len();
    files.retain(|path| {
        let name = path.file_name().unwrap_or_default();
        let too_long = TOO_LONG_FOR_SIMULATION.iter().any(|skip| name == *skip);
        if too_long {
            println!("SKIPPED {name:?}: more than two minutes of simulation, or hours");
        }
        !too_long
    });
    assert_eq!(
        files.len() + TOO_LONG_FOR_SIMULATION.len(),
        all,
        "a skip is no file"
    );
    assert_eq!(on_the_card(&files).failed, 0);
}

/// A skip that is not needed any more must go.
#[test]
fn every_skip_is_needed() {
    let Some(files) = fixtures() else { return };
    let skipped: Vec<PathBuf> = files
        .into_iter()
        .filter(|path| {
            let name = path.file_name().unwrap_or_default();
            statetest::SKIPS.iter().any(|skip| name == skip.file)
        })
        .collect();
    assert_eq!(skipped.len(), statetest::SKIPS.len(), "a skip is no file");
    let options = Options {
        with_skipped: true,
        ..all_threads()
    };
    let mut failures: BTreeMap<PathBuf, u64> = BTreeMap::new();
    let summary = statetest::run(
        &skipped,
        options,
        || Ok::<Box<dyn Executor>, Infallible>(Box::new(Sequential)),
        |report| {
            if let Ok((case, report)) = report {
                let failed = matches!(report.verdict, Verdict::Failed(_));
                *failures.entry(case.file.clone()).or_default() += u64::from(failed);
            }
        },
        || {},
    );
    assert!(summary.is_ok());
    let needless: Vec<_> = failures
        .iter()
        .filter(|(_, failed)| **failed == 0)
        .collect();
    assert!(needless.is_empty(), "these pass: {needless:?}");
}
