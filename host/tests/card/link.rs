//! A card in another process: what its link, its server and its owner can do. The server is the real one, over
//! the Verilog; between it and the driver stands a proxy that passes messages on, until it does not.

use std::os::fd::AsFd as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use gatewei::card::CardExecutor;
use gatewei::{Executor as _, Outcome, Sequential, digest};
use gatewei_driver::transport::VfioUser;
use gatewei_driver::vfio_user::channel::{Channel, Message, reply_to};
use gatewei_driver::vfio_user::wire::{Header, MESSAGE_BYTES, flag};
use gatewei_driver::{Card, Fault, Options, State};
use zerocopy::IntoBytes as _;

use super::faults::BLOCK;

/// Messages that pass before something happens, once it was announced: on an open card, and with its opening.
const BEFORE: u32 = 20;
const BEFORE_WITH_OPENING: u32 = 100;
/// How long the driver waits for an answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest time of a block.
const LONGEST: Duration = Duration::from_secs(60);

/// What happens to a message.
enum Happens {
    /// The connection is closed.
    End,
    /// It is refused.
    Error,
    /// Its answer is cut off.
    Short,
    /// Its answer claims to be longer than any message.
    Oversize,
    /// It is never answered, nor is any other.
    Silence,
    /// A process is killed as it is passed on.
    Kill(Child),
}

/// A card that another process serves; the process ends with this.
struct Served {
    process: Option<Child>,
    path: PathBuf,
}

fn socket(test: &str, end: &str) -> PathBuf {
    std::env::temp_dir().join(format!("gatewei-{test}-{}-{end}.sock", std::process::id()))
}

fn serve(test: &str) -> Served {
    let path = socket(test, "card");
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatewei"));
    let command = command.args(["card", "serve", "--socket"]).arg(&path);
    let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let process = Some(process.expect("the tool starts"));
    let began = Instant::now();
    while !path.exists() {
        assert!(began.elapsed() < LONGEST, "it does not serve");
        std::thread::sleep(Duration::from_millis(5));
    }
    Served { process, path }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Passes messages between one client and the server at `to`: the path to connect to, and in the end whether
/// something happened.
fn proxy(test: &str, to: &Path, happens: Receiver<(u32, Happens)>) -> (PathBuf, JoinHandle<bool>) {
    let path = socket(test, "proxy");
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).expect("the socket can be made");
    let to = to.to_owned();
    let passing = std::thread::spawn(move || {
        let (client, _) = listener.accept().expect("a client");
        let raw = client.try_clone().expect("a second handle");
        let client = Channel::new(client).expect("a channel");
        let server = Channel::new(UnixStream::connect(to).expect("the server")).expect("a channel");
        pass(client, server, &raw, &happens)
    });
    (path, passing)
}

/// Passes until something happens, or a side ends.
fn pass(
    mut client: Channel,
    mut server: Channel,
    raw: &UnixStream,
    happens: &Receiver<(u32, Happens)>,
) -> bool {
    let (mut planned, mut happened) = (None, false);
    while let Ok(Message {
        header,
        body,
        files,
    }) = client.receive(LONGEST)
    {
        planned = planned.or_else(|| happens.try_recv().ok());
        let strikes = match planned.take() {
            Some((0, what)) => Some(what),
            Some((left, what)) => {
                planned = Some((left - 1, what));
                None
            }
            None => None,
        };
        happened |= strikes.is_some();
        match strikes {
            Some(Happens::End) => return happened,
            Some(Happens::Silence) => {
                while client.receive(LONGEST).is_ok() {}
                return happened;
            }
            Some(Happens::Error) => {
                let refusal = Header {
                    flags: flag::REPLY | flag::ERROR,
                    error: 5,
                    ..reply_to(&header)
                };
                let sent = client.send(refusal, &[], &[], PATIENCE);
                sent.expect("the client listens");
                continue;
            }
            Some(Happens::Short) => {
                let sent = client.send(reply_to(&header), &[&[1]], &[], PATIENCE);
                sent.expect("the client listens");
                continue;
            }
            Some(Happens::Oversize) => {
                let claims = Header {
                    size: MESSAGE_BYTES as u32 + 1,
                    ..reply_to(&header)
                };
                let sent = std::io::Write::write_all(&mut &*raw, claims.as_bytes());
                sent.expect("the client listens");
                continue;
            }
            Some(Happens::Kill(mut process)) => {
                process.kill().expect("it can be killed");
                process.wait().expect("it ends");
            }
            None => {}
        }
        let files: Vec<_> = files.iter().map(|file| file.as_fd()).collect();
        if server.send(header, &[&body], &files, PATIENCE).is_err() {
            return happened;
        }
        let Ok(reply) = server.receive(LONGEST) else {
            return happened;
        };
        if client
            .send(reply.header, &[&reply.body], &[], PATIENCE)
            .is_err()
        {
            return happened;
        }
    }
    happened
}

fn options() -> Options {
    let mut options = Options::default();
    options.deadlines.heartbeat = Duration::from_secs(5);
    options
}

/// Runs the block on the card at a socket, in time, and compares.
fn run(executor: &mut CardExecutor<VfioUser>) -> Outcome {
    let want = Sequential.execute(&BLOCK).expect("it runs");
    let began = Instant::now();
    let got = executor.execute(&BLOCK).expect("it is valid");
    assert!(
        began.elapsed() < LONGEST,
        "it hung for {:?}",
        began.elapsed()
    );
    assert_eq!(digest(&want), digest(&got));
    assert_eq!(want.state, got.state);
    got
}

/// An executor on the card at a socket, once its last owner has gone.
fn connect(path: &Path) -> CardExecutor<VfioUser> {
    let began = Instant::now();
    loop {
        match VfioUser::connect_within(path, PATIENCE) {
            Ok(card) => return CardExecutor::new(Card::open(card, options()).expect("it opens")),
            Err(error) => assert!(began.elapsed() < LONGEST, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The card is as good as new.
fn works(path: &Path) {
    let got = run(&mut connect(path));
    let statistics = &got.statistics.card;
    assert!(statistics.fallbacks.is_empty(), "{statistics:?}");
    assert_eq!(statistics.offloaded_share(), 1.0);
}

/// The block meets this on its way, and ends under that name; whether the card is out of use then.
fn meets(test: &str, happens: impl FnOnce(&mut Served) -> Happens, fault: Fault, dies: bool) {
    let mut served = serve(test);
    let (tell, told) = channel();
    let (path, passing) = proxy(test, &served.path, told);
    let mut executor = connect(&path);
    tell.send((BEFORE, happens(&mut served)))
        .expect("the proxy lives");
    let got = run(&mut executor);
    let card = executor.runner().card();
    let (counters, state) = (card.counters(), card.state());
    assert!(
        counters.lost.to(fault) > 0,
        "{test}: {counters:?} {:?}",
        got.statistics.card
    );
    let want = if dies {
        State::Dead(fault)
    } else {
        State::Ready
    };
    assert_eq!(state, want, "{test}: {counters:?}");
    if !dies {
        assert!(
            run(&mut executor).statistics.card.fallbacks.is_empty(),
            "{test}"
        );
    }
    drop(executor);
    assert!(
        passing.join().expect("the proxy does not panic"),
        "{test}: nothing happened"
    );
    let _ = std::fs::remove_file(path);
    if served.process.is_some() {
        works(&served.path);
    }
}

#[test]
fn the_connection_ends() {
    meets("end", |_| Happens::End, Fault::Gone, true);
}

#[test]
fn an_error_reply() {
    meets("error", |_| Happens::Error, Fault::Transport, false);
}

#[test]
fn a_short_message() {
    meets("short", |_| Happens::Short, Fault::Gone, true);
}

#[test]
fn an_oversize_message() {
    meets("oversize", |_| Happens::Oversize, Fault::Gone, true);
}

#[test]
fn silence() {
    meets("silence", |_| Happens::Silence, Fault::Gone, true);
}

#[test]
fn the_card_is_killed_in_the_middle_of_a_block() {
    let kill = |served: &mut Served| Happens::Kill(served.process.take().expect("it runs"));
    meets("kill-card", kill, Fault::Gone, true);
}

/// The driver's process is killed with messages in flight: the card is reset before anybody's memory is
/// given back, and the next owner finds it as new.
#[test]
fn the_driver_is_killed_with_messages_in_flight() {
    let served = serve("kill-driver");
    let (tell, told) = channel();
    let (path, passing) = proxy("kill-driver", &served.path, told);
    LazyLock::force(&BLOCK);
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatewei"));
    command.args(["run", "--executor", "card", "--card"]);
    command.arg(format!("vfio-user:{}", path.display()));
    command.arg(super::faults::folder());
    let driver = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let kill = Happens::Kill(driver.expect("the tool starts"));
    tell.send((BEFORE_WITH_OPENING, kill))
        .expect("the proxy lives");
    assert!(
        passing.join().expect("the proxy does not panic"),
        "it ended too soon"
    );
    works(&served.path);
    let _ = std::fs::remove_file(path);
}
