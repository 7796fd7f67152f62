//! Where tests find the real inputs: mainnet blocks and public state tests.

use std::{
    env, fs,
    fs::File,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant, SystemTime},
};

/// Root of the checkout.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_owned)
        .expect("the crate is in the workspace")
}

/// The folder of one archive (`mainnet`, `statetests`), unpacked into `.build/data` on first use. `None`, after a loud
/// message, when the archive is not there: the test is then skipped.
pub fn data(name: &str) -> Option<PathBuf> {
    let unpacked = root().join(".build/data").join(name);
    if unpacked.is_dir() {
        return Some(unpacked);
    }
    let given = env::var_os("GATEWEI_DATA").map(PathBuf::from);
    let folder = root().join(given.unwrap_or_else(|| "../shared/data".into()));
    let archive = folder.join(format!("{name}.tar.xz"));
    if !archive.is_file() {
        // Not by a macro: what those print is kept back when a test passes.
        let _ = writeln!(
            io::stderr(),
            "\n*** SKIPPED: there is no {}. Set GATEWEI_DATA to the folder that has {name}.tar.xz. ***\n",
            archive.display()
        );
        return None;
    }
    unpack(&archive, &unpacked, name);
    Some(unpacked)
}

/// Unpacks into a folder of its own and moves it into place; a lock file keeps other test processes waiting.
fn unpack(archive: &Path, target: &Path, name: &str) {
    let parent = target.parent().expect("it has a parent");
    fs::create_dir_all(parent).expect("the build folder can be made");
    let lock = parent.join(format!("{name}.lock"));
    let started = Instant::now();
    while File::create_new(&lock).is_err() {
        if target.is_dir() {
            return;
        }
        let age = fs::metadata(&lock).and_then(|meta| meta.modified()).ok();
        let stale = age.is_some_and(|age| {
            SystemTime::now()
                .duration_since(age)
                .is_ok_and(|age| age > Duration::from_secs(300))
        });
        if stale {
            // Left by a process that was killed.
            let _ = fs::remove_file(&lock);
        }
        assert!(
            started.elapsed() < Duration::from_secs(600),
            "waiting for {}",
            lock.display()
        );
        thread::sleep(Duration::from_millis(200));
    }
    if !target.is_dir() {
        let staging = parent.join(format!("{name}.unpacking"));
        let _ = fs::remove_dir_all(&staging);
        fs::create_dir_all(&staging).expect("the staging folder can be made");
        let tar = Command::new("tar")
            .arg("xJf")
            .arg(archive)
            .arg("-C")
            .arg(&staging)
            .status();
        assert!(
            tar.is_ok_and(|status| status.success()),
            "cannot unpack {}",
            archive.display()
        );
        fs::rename(staging.join(name), target).expect("the unpacked folder can be moved");
        let _ = fs::remove_dir_all(&staging);
    }
    let _ = fs::remove_file(&lock);
}
