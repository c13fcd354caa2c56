//! The life of a node: found, started, stopped, killed; and the errors on the way.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use gavel_regtest::{Auth, Background, Bitcoind, Config, Error, Node, Rpc, Version};

fn runs(pid: u32) -> bool {
    Command::new("kill")
        .args(["-0", &pid.to_string()])
        .status()
        .expect("kill runs")
        .success()
}

/// A program that pretends to be a bitcoind.
fn fake(folder: &Path, script: &str) -> PathBuf {
    let path = folder.join("bitcoind");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("writing a script");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("chmod");
    path
}

#[test]
fn starts_and_ends_with_the_value() {
    let node = Node::start().expect("a node starts");
    let (pid, datadir) = (node.pid(), node.datadir().to_owned());
    assert!(runs(pid));
    assert!(node.bitcoind().version >= Version::OLDEST);
    assert_eq!(node.rpc().chain().expect("chain").name, "regtest");
    assert_eq!(
        node.rpc().version().expect("version"),
        node.bitcoind().version
    );
    drop(node);
    assert!(!runs(pid), "the process ended");
    assert!(!datadir.exists(), "the temporary folder is gone");
}

#[test]
fn panicking_ends_the_process() {
    let (send, receive) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let node = Node::start().expect("a node starts");
        send.send(node.pid()).expect("the other end listens");
        panic!("on purpose");
    });
    assert!(thread.join().is_err());
    assert!(!runs(receive.recv().expect("a pid")));
}

#[test]
fn several_at_once_dont_get_in_each_others_way() {
    let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(Node::start)).collect();
    let nodes: Vec<Node> = threads
        .into_iter()
        .map(|t| t.join().expect("no panic").expect("starts"))
        .collect();
    for (count, node) in (1..).zip(&nodes) {
        node.rpc().mine(count).expect("mines");
    }
    for (count, node) in (1..).zip(&nodes) {
        assert_eq!(node.rpc().height().expect("height"), count);
    }
}

#[test]
fn a_named_folder_keeps_the_chain() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = Config::default().datadir(folder.path().join("chain"));
    let mut node = Node::start_with(config.clone()).expect("starts");
    node.rpc().mine(3).expect("mines");
    let second = Node::start_with(config.clone()).expect_err("the folder is in use");
    assert!(matches!(second, Error::DatadirInUse { .. }), "{second}");
    assert_eq!(node.rpc().height().expect("the first one is unharmed"), 3);
    node.restart().expect("restarts");
    assert_eq!(node.rpc().height().expect("height"), 3);
    drop(node);
    let node = Node::start_with(config).expect("starts again");
    assert_eq!(node.rpc().height().expect("height"), 3);
    node.stop();
}

#[test]
fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let error = Node::start_with(Config::default().port(port)).expect_err("taken");
    assert!(
        matches!(error, Error::PortInUse { port: p } if p == port),
        "{error}"
    );
}

#[test]
fn bad_binaries_are_told_apart() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let start = |path: PathBuf| {
        Node::start_with(Config::default().bitcoind(path)).expect_err("no bitcoind")
    };
    let error = start("/nonexistent/bitcoind".into());
    assert!(matches!(error, Error::BadBinary { .. }), "{error}");
    let error = start(fake(folder.path(), "echo hello"));
    assert!(matches!(error, Error::BadBinary { .. }), "{error}");
    let error = start(fake(folder.path(), "echo 'Bitcoin Core version v27.1.0'"));
    let Error::TooOld { found, need, .. } = error else {
        unreachable!("{error}")
    };
    assert_eq!((found.major, need.major), (27, 28));
}

#[test]
fn one_that_fails_to_start_shows_its_last_words() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let script = "[ \"$1\" = --version ] && echo 'Bitcoin Core version v30.0.0' && exit 0\n\
                  echo 'Error: the dog ate it' >&2; exit 1";
    let config = Config::default().bitcoind(fake(folder.path(), script));
    let error = Node::start_with(config).expect_err("it ends at once");
    assert!(
        matches!(&error, Error::Died { log } if log.contains("the dog ate it")),
        "{error}"
    );
}

#[test]
fn one_that_never_answers_is_given_up_and_ended() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pid_file = folder.path().join("pid");
    let script = format!(
        "[ \"$1\" = --version ] && echo 'Bitcoin Core version v30.0.0' && exit 0\n\
         echo $$ > {}; exec sleep 1000",
        pid_file.display()
    );
    let config = Config::default()
        .bitcoind(fake(folder.path(), &script))
        .ready_within(Duration::from_millis(500));
    let error = Node::start_with(config).expect_err("it never answers");
    assert!(matches!(error, Error::NotReady { .. }), "{error}");
    let pid = fs::read_to_string(&pid_file).expect("it wrote its pid");
    assert!(!runs(pid.trim().parse().expect("a number")));
}

#[test]
fn one_killed_in_the_middle_is_an_error() {
    let node = Node::start().expect("a node starts");
    node.rpc().mine(1).expect("mines");
    let rpc = node.rpc().clone();
    let mining = std::thread::spawn(move || {
        loop {
            if let Err(error) = rpc.mine(50) {
                return error;
            }
        }
    });
    std::thread::sleep(Duration::from_millis(300));
    let status = Command::new("kill")
        .args(["-9", &node.pid().to_string()])
        .status();
    assert!(status.expect("kill runs").success());
    let error = mining.join().expect("no panic");
    assert!(
        matches!(error, Error::Died { .. } | Error::Unreachable { .. }),
        "{error}"
    );
    let error = node.rpc().height().expect_err("nobody is there");
    assert!(matches!(error, Error::Died { .. }), "{error}");
}

#[test]
fn a_full_disk_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"])
        .arg(folder.path())
        .output();
    if !mount.is_ok_and(|output| output.status.success()) {
        return; // only root may mount: nothing to try here
    }
    let result = (|| {
        let config = Config::default().datadir(folder.path().join("chain"));
        let node = Node::start_with(config)?;
        loop {
            node.rpc().mine(200)?;
        }
    })();
    let unmounted = Command::new("umount").arg("-l").arg(folder.path()).status();
    assert!(unmounted.expect("umount runs").success());
    let error: Error = Result::<(), Error>::expect_err(result, "the disk is full");
    assert!(matches!(error, Error::DiskFull { .. }), "{error}");
}

#[test]
fn connects_to_a_running_node() {
    let node = Node::start().expect("a node starts");
    let rpc = Rpc::connect(node.rpc().url(), node.rpc().auth().clone()).expect("connects");
    assert_eq!(rpc.height().expect("height"), 0);
    let wrong = Auth::UserPass {
        user: "me".into(),
        password: "guess".into(),
    };
    assert!(!format!("{wrong:?}").contains("guess"));
    let error = Rpc::connect(node.rpc().url(), wrong).expect_err("wrong password");
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
    let (url, auth) = (node.rpc().url().to_owned(), node.rpc().auth().clone());
    let elsewhere = Auth::UserPass {
        user: "me".into(),
        password: "guess".into(),
    };
    drop(node);
    let error = Rpc::connect(&url, elsewhere).expect_err("gone");
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    let error = Rpc::connect(&url, auth).expect_err("its cookie is gone");
    assert!(matches!(error, Error::Io { .. }), "{error}");
}

#[test]
fn a_background_node_goes_up_and_down() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = Background::in_dir(folder.path()).expect("a folder");
    assert!(matches!(place.down(), Err(Error::NotUp { .. })));
    let state = place.up(&Config::default()).expect("goes up");
    assert!(runs(state.pid));
    assert!(matches!(
        place.up(&Config::default()),
        Err(Error::AlreadyUp { .. })
    ));
    let (_, rpc) = place.connect().expect("connects");
    rpc.mine(2).expect("mines");
    assert_eq!(place.down().expect("goes down"), state);
    assert!(place.state().expect("readable").is_none());
    place.up(&Config::default()).expect("goes up again");
    let (_, rpc) = place.connect().expect("connects");
    assert_eq!(rpc.height().expect("the chain stayed"), 2);
    place.down().expect("goes down");
}

#[test]
fn a_reused_pid_is_left_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = Background::in_dir(folder.path()).expect("a folder");
    let mut bystander = Command::new("sleep")
        .arg("1000")
        .spawn()
        .expect("sleep runs");
    let state = serde_json::json!({
        "pid": bystander.id(), "url": "http://127.0.0.1:1", "cookie": "/none",
        "datadir": folder.path().join("data"), "bitcoind": "/usr/bin/bitcoind",
        "version": Version::OLDEST,
    });
    fs::write(folder.path().join("node.json"), state.to_string()).expect("writing");
    assert!(matches!(place.down(), Err(Error::NotUp { .. })));
    assert!(runs(bystander.id()));
    bystander.kill().expect("ours to end");
    bystander.wait().expect("ended");
}

#[test]
fn starting_is_quick() {
    let bitcoind = Bitcoind::find(None).expect("there is one");
    assert!(bitcoind.path.is_file());
    let started = Instant::now();
    let node = Node::start().expect("a node starts");
    assert!(started.elapsed() < Duration::from_secs(30));
    drop(node);
}
