//! The command line tool: what it prints, and how it ends.

#[path = "common/command.rs"]
mod command;

use std::collections::BTreeSet;

use command::{folder, gatewei, workload};
use serde_json::Value;

/// Asserts that an object has exactly these fields.
fn has_fields(object: &Value, fields: &[&str]) {
    let object = object.as_object().expect("it is an object");
    let names: BTreeSet<_> = object.keys().map(String::as_str).collect();
    assert_eq!(names, fields.iter().copied().collect());
}

/// Asserts that these fields are numbers.
fn are_numbers(object: &Value, fields: &[&str]) {
    for field in fields {
        assert!(object[field].is_number(), "{field}: {}", object[field]);
    }
}

fn is_row(row: &Value, compared: bool) {
    let mut fields = vec![
        "block",
        "fork",
        "txs",
        "gas_used",
        "executor",
        "threads",
        "seconds",
        "mgas_per_s",
        "checks",
        "digest",
        "peak_bytes",
        "parallel",
        "card",
    ];
    if compared {
        fields.push("ratio");
        has_fields(&row["ratio"], &["median", "min", "max"]);
        are_numbers(&row["ratio"], &["median", "min", "max"]);
    }
    has_fields(row, &fields);
    assert!(row["block"].is_u64() && row["txs"].is_u64() && row["gas_used"].is_u64());
    are_numbers(row, &["threads", "seconds", "mgas_per_s"]);
    assert!(row["fork"].is_string());
    let digest = row["digest"].as_str().expect("the digest is a string");
    assert!(digest.starts_with("0x") && digest.len() == 66, "{digest}");
    has_fields(
        &row["checks"],
        &[
            "gas_used",
            "receipts_root",
            "logs_bloom",
            "requests_hash",
            "state_root",
            "access_list",
        ],
    );
    for (name, check) in row["checks"].as_object().expect("it is an object") {
        assert!(check.is_boolean() || check.is_null(), "{name}: {check}");
    }
    let numbers = ["executions", "reexecutions", "blocked", "wasted_gas"];
    has_fields(
        &row["parallel"],
        &[&numbers[..], &["by_list", "conflicts"]].concat(),
    );
    are_numbers(&row["parallel"], &numbers);
    let numbers = [
        "txs",
        "gas",
        "evm_gas",
        "offloaded_share",
        "offloaded_ops",
        "kept",
        "verified",
        "cycles",
        "wait_cycles",
        "page_cycles",
        "retired",
        "cpi",
        "requests",
    ];
    let objects = ["fallbacks", "prediction", "cycles_by_class", "wrong"];
    let all = [&numbers[..], &objects].concat();
    has_fields(&row["card"], &all);
    are_numbers(&row["card"], &numbers);
    has_fields(&row["card"]["prediction"], &["sent", "used", "hits"]);
    are_numbers(&row["card"]["prediction"], &["sent", "used", "hits"]);
    let classes = row["card"]["cycles_by_class"]
        .as_object()
        .expect("an object");
    for class in classes.values() {
        has_fields(class, &["count", "cycles", "wait_cycles", "page_cycles"]);
        are_numbers(class, &["count", "cycles", "wait_cycles", "page_cycles"]);
    }
    assert!(row["card"]["fallbacks"].is_object());
}

#[test]
fn a_generated_block_runs_on_the_cpu_executors_with_one_digest() {
    let folder = folder("cli-run");
    workload("mixed", 30, 3, &folder.join("mixed"));
    workload("erc20-hot", 20, 4, &folder.join("hot"));
    let path = folder.to_str().expect("the path is UTF-8");
    let sequential = gatewei(["run", path, "--executor", "sequential", "--json"]);
    let cpu = gatewei([
        "run",
        path,
        "--executor",
        "cpu",
        "--threads",
        "3",
        "--repeat",
        "2",
        "--compare",
        "sequential",
        "--json",
    ]);
    assert_eq!((sequential.status, cpu.status), (0, 0), "{}", cpu.stderr);
    assert_eq!(sequential.stderr, "");
    let (left, right) = (sequential.json(), cpu.json());
    assert_eq!((left.len(), right.len()), (2, 2));
    for (left, right) in left.iter().zip(&right) {
        is_row(left, false);
        is_row(right, true);
        assert_eq!(left["executor"], "sequential");
        assert_eq!(left["threads"], 1);
        assert_eq!(left["fork"], "Osaka");
        assert_eq!(right["executor"], "cpu");
        assert_eq!(right["threads"], 3);
        assert_eq!(left["digest"], right["digest"]);
        // A generated block tells that its pre-state is the whole state: even the state root is checked.
        for (name, check) in right["checks"].as_object().expect("it is an object") {
            // No list was given.
            let want = if name == "access_list" {
                Value::Null
            } else {
                Value::Bool(true)
            };
            assert_eq!(*check, want, "{name}");
        }
    }
    assert_ne!(left[0]["digest"], left[1]["digest"]);
    let table = gatewei(["run", path, "--executor", "sequential"]);
    assert_eq!(table.status, 0);
    assert_eq!(table.stdout.lines().count(), 4, "{}", table.stdout);
    assert!(table.stdout.contains("Mgas/s") && table.stdout.contains("ok"));
}

#[test]
fn the_demonstration_says_identical() {
    let ran = gatewei(["demo", "--txs", "25", "--seed", "9", "--card", "none"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("25 transactions"), "{}", ran.stdout);
    assert!(ran.stdout.contains("sequential") && ran.stdout.contains("cpu"));
    assert_eq!(ran.stdout.lines().last(), Some("identical"));
}

#[cfg(not(feature = "sim"))]
#[test]
fn without_the_card_it_says_why() {
    let demo = gatewei(["demo", "--txs", "5"]);
    assert_eq!(demo.status, 0);
    assert!(demo.stdout.contains("left out") && demo.stdout.contains("Verilator"));
    let asked = gatewei(["demo", "--txs", "5", "--card", "sim"]);
    assert_eq!(asked.status, 1);
    assert!(asked.stderr.contains("make build"), "{}", asked.stderr);
}

#[test]
fn workloads_are_the_same_bytes_for_the_same_seed() {
    let folder = folder("cli-workload");
    let [one, same, other] = ["one", "same", "other"].map(|name| folder.join(name));
    workload("amm-pools", 6, 1, &one);
    workload("amm-pools", 6, 1, &same);
    workload("amm-pools", 6, 2, &other);
    let read =
        |path: &std::path::Path| std::fs::read(path.join("block.json")).expect("it is there");
    assert_eq!(read(&one), read(&same));
    assert_ne!(read(&one), read(&other));
    let unknown = gatewei(["workload", "nothing", "--out", "x"]);
    assert_eq!(unknown.status, 2);
    assert!(unknown.stderr.contains("erc20-hot"), "{}", unknown.stderr);
}

#[test]
fn help_teaches() {
    for command in ["demo", "model", "run", "statetest", "workload"] {
        let ran = gatewei([command, "--help"]);
        assert_eq!(ran.status, 0);
        assert!(ran.stdout.len() > 500, "{command}: {}", ran.stdout);
    }
    let all = gatewei(["--help"]);
    assert!(all.stdout.contains("Exit status"));
}

#[test]
fn a_model_refuses_what_is_no_card() {
    let zero = gatewei(["model", "--lanes", "0"]);
    assert_eq!(zero.status, 2);
    assert!(zero.stderr.contains("at least one lane"), "{}", zero.stderr);
    for (arguments, status) in [
        (["--mhz", "0"], 2),
        (["--mhz", "NaN"], 2),
        (["--watts", "-1"], 2),
        (["--lanes", "9999"], 2),
        (["--kind", "nothing"], 1),
    ] {
        let ran = gatewei(["model"].iter().chain(&arguments));
        assert_eq!(ran.status, status, "{arguments:?}: {}", ran.stderr);
    }
}

#[cfg(not(feature = "sim"))]
#[test]
fn a_model_needs_the_simulated_card() {
    let ran = gatewei(["model"]);
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains("make build"), "{}", ran.stderr);
}

#[cfg(feature = "sim")]
#[test]
fn a_model_s_figures_stand_beside_what_they_rest_on() {
    for (arguments, helps) in [
        (["--part", "xc7"], "xc7a200t"),
        (["--board", "ulx4s"], "--part"),
        (["--request-us", "5000"], "at most"),
        (["--txs", "4"], "nowhere/block: "),
    ] {
        let path = (helps.starts_with("nowhere")).then_some("nowhere/block");
        let ran = gatewei(["model"].iter().chain(&arguments).chain(path.iter()));
        assert_eq!(ran.status, 1, "{arguments:?}: {}", ran.stdout);
        assert!(ran.stderr.contains(helps), "{arguments:?}: {}", ran.stderr);
    }
    let folder = folder("cli-model");
    let plot = folder.join("lanes.svg");
    let plot = plot.to_str().expect("the path is UTF-8");
    let block = folder.join("block");
    workload("amm-pools", 12, 2, &block);
    let block = block.to_str().expect("the path is UTF-8");
    let ran = gatewei([
        "model", block, "--part", "xcu55c", "--mhz", "200", "--lanes", "1,4", "--watts", "20",
        "--plot", plot, "--json",
    ]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    let all = ran.json();
    let [model] = &all[..] else {
        panic!("one object: {}", ran.stdout)
    };
    assert_eq!(
        (&model["part"], &model["txs"]),
        (&"xcu55c".into(), &12.into())
    );
    let assumptions = model["assumptions"].as_array().expect("a list");
    let named = |name: &str| {
        let found = assumptions.iter().find(|line| line["name"] == name);
        found.unwrap_or_else(|| panic!("no {name}"))
    };
    assert_eq!(named("clock")["source"], "assumed: --mhz");
    assert_eq!(named("clock")["value"], 200.0);
    assert_eq!(named("watts")["kind"], "assumed");
    assert_eq!(named("lookup tables")["kind"], "datasheet");
    let rows = model["modelled"].as_array().expect("a list");
    assert_eq!(rows.len(), 2);
    let number = |row: &Value, name: &str| row[name].as_f64().expect("a number");
    let gas = number(model, "gas_used");
    for row in rows {
        let seconds = number(row, "cycles") / 200e6;
        assert!((number(row, "seconds") / seconds - 1.0).abs() < 1e-9);
        let rate = gas / 1e6 / seconds;
        assert!((number(row, "mgas_per_s") / rate - 1.0).abs() < 1e-9);
        assert!((number(row, "mgas_per_joule") * 20.0 / rate - 1.0).abs() < 1e-9);
        assert!(number(row, "utilisation") > 0.0 && number(row, "utilisation") <= 1.0);
    }
    assert!(number(&rows[0], "cycles") > number(&rows[1], "cycles"));
    assert!(
        number(&rows[1], "cycles") >= number(&model["simulated"], "critical_path_cycles") / 2.0
    );
    assert!(number(&model["measured"], "mgas_per_s") > 0.0);
    let svg = std::fs::read_to_string(plot).expect("it is written");
    assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    assert!(svg.contains("Mgas/J") && svg.contains("CPU, one core, measured"));
    assert_eq!(svg.matches("<circle").count(), 4);
    let text = gatewei(["model", block, "--lanes", "1"]);
    assert_eq!(text.status, 0, "{}", text.stderr);
    for word in [
        "estimated: nextpnr",
        "13.4 MHz",
        "modelled",
        "measured",
        "simulated cycles",
    ] {
        assert!(text.stdout.contains(word), "{word}: {}", text.stdout);
    }
}

#[test]
fn cards_are_listed_and_wrong_addresses_are_told_with_what_helps() {
    let wrong = gatewei(["card", "info", "pci:0000:03:00.0"]);
    assert_eq!(wrong.status, 2, "{}", wrong.stderr);
    assert!(
        wrong.stderr.contains("vfio:0000:03:00.0"),
        "{}",
        wrong.stderr
    );
    for (address, helps) in [
        ("vfio:ffff:ff:1f.7", "card list"),
        ("sysfs:ffff:ff:1f.7", "card list"),
        ("xdma:4294967295", "xdma4294967295_user"),
        ("vfio-user:/nowhere/card.sock", "gatewei card serve"),
    ] {
        for verb in ["info", "selftest", "reset"] {
            let ran = gatewei(["card", verb, address]);
            assert_eq!(ran.status, 1, "{verb} {address}");
            assert!(
                ran.stderr.contains(helps),
                "{verb} {address}: {}",
                ran.stderr
            );
        }
    }
    if std::path::Path::new("/sys/bus/pci/devices").exists() {
        let all = gatewei(["card", "list", "--all", "--json"]);
        assert_eq!(all.status, 0, "{}", all.stderr);
        for function in all.json() {
            assert!(
                function["card"].is_boolean() && function["bars"].is_array(),
                "{function}"
            );
        }
    }
}

#[cfg(feature = "sim")]
#[test]
fn a_card_is_served_to_other_processes_until_it_is_told_to_stop() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    let socket = std::env::temp_dir().join(format!("gatewei-cli-{}.sock", std::process::id()));
    let mut server = Command::new(env!("CARGO_BIN_EXE_gatewei"))
        .args(["card", "serve", "--socket"])
        .arg(&socket)
        .stderr(Stdio::null())
        .spawn()
        .expect("the tool starts");
    let until = |done: &mut dyn FnMut() -> bool| {
        let began = Instant::now();
        while !done() {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "it takes too long"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    until(&mut || socket.exists());
    let address = format!("vfio-user:{}", socket.display());
    for checked in [["selftest", "--json"], ["info", "--json"]] {
        let [verb, json] = checked;
        let ran = gatewei(["card", verb, &address, json]);
        assert_eq!(ran.status, 0, "{verb}: {}{}", ran.stdout, ran.stderr);
        for row in ran.json() {
            assert!(row["outcome"] == "passed" || row["lanes"] == 1, "{row}");
        }
    }
    let reset = gatewei(["card", "reset", &address]);
    assert_eq!(reset.status, 0, "{}", reset.stderr);
    let pid = server.id().to_string();
    let told = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(told.expect("kill is there").success());
    until(&mut || server.try_wait().expect("it is ours").is_some());
    assert!(server.wait().expect("it ended").success() && !socket.exists());
}
