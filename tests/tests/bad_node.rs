//! Nodes that are down, on another network, or die in the middle of a game: an error that says
//! so, at once.
#![allow(
    clippy::type_complexity,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on should stop"
)]

mod support;

use gavel_regtest::{Auth, Node};
use gavel_tests::{Game, PlayError, Table};
use gavel_verifier::chain::{Chain, ChainError, CoreRpc};
use gavel_verifier::run::RunError;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use support::example;

fn credentials(node: &Node) -> (String, String) {
    match node.rpc().auth() {
        Auth::UserPass { user, password } => (user.clone(), password.clone()),
        Auth::Cookie(path) => {
            let cookie = std::fs::read_to_string(path).unwrap();
            let (user, password) = cookie.trim().split_once(':').unwrap();
            (user.to_owned(), password.to_owned())
        }
    }
}

#[test]
fn a_node_that_is_down() {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", port.local_addr().unwrap());
    drop(port);
    match CoreRpc::connect(&url, "user", "password", "regtest") {
        Err(error @ ChainError::Unreachable { .. }) => {
            let text = error.to_string();
            assert!(
                text.contains(&url) && text.contains("is it running?"),
                "{text}"
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_address_that_is_none() {
    for url in [
        "",
        "http://",
        "no url",
        "http://256.0.0.1:1",
        "http://127.0.0.1:99999",
    ] {
        let error = CoreRpc::connect(url, "user", "password", "regtest").err();
        assert!(
            matches!(error, Some(ChainError::Unreachable { .. })),
            "{url}: {error:?}"
        );
    }
}

#[test]
fn a_node_of_another_network() {
    let node = Node::start().unwrap();
    let (user, password) = credentials(&node);
    for expected in ["main", "test", "signet", ""] {
        match CoreRpc::connect(node.rpc().url(), &user, &password, expected) {
            Err(ChainError::WrongNetwork {
                found,
                expected: of,
            }) => {
                assert_eq!((found.as_str(), of.as_str()), ("regtest", expected));
            }
            other => panic!("{other:?}"),
        }
    }
    // And with a wrong password.
    let error = CoreRpc::connect(node.rpc().url(), &user, "wrong", "regtest").err();
    assert!(
        matches!(error, Some(ChainError::Unreachable { .. })),
        "{error:?}"
    );
}

/// Something else answers on the port.
#[test]
fn what_is_no_node() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "SSH-2.0-x\r\n",
        "",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut stream = stream;
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        match CoreRpc::connect(&url, "user", "password", "regtest") {
            Err(ChainError::Unreachable { .. } | ChainError::Malformed { .. }) => {}
            other => panic!("{answer:?}: {other:?}"),
        }
    }
}

/// The node dies after Fund: the step fails, and so does every later one; nobody panics, and
/// nothing was broadcast besides what stands in the report.
#[test]
fn a_node_that_dies_in_the_middle_of_a_game() {
    let stage = example("price_feed");
    let case = stage.usual().unwrap();
    let k = case.outcome.unwrap();
    let table = Table::seat(&stage).unwrap();
    let proofs = table.vouch(&case.words).unwrap();
    let mut game = Game::begin(table, &[(0, k, proofs)], |_, party| party.into()).unwrap();
    assert!(game.round().unwrap().is_some());
    // Exactly this process, which this test started.
    let pid = game.node.pid().to_string();
    assert!(
        Command::new("kill")
            .args(["-KILL", &pid])
            .status()
            .unwrap()
            .success()
    );
    for _ in 0..3 {
        match game.act().err() {
            Some(PlayError::Run(RunError::Chain(error @ ChainError::Unreachable { .. }))) => {
                assert!(error.to_string().contains(game.node.rpc().url()), "{error}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(game.play(&mut |_| ()), Err(PlayError::Run(_))));
    assert!(matches!(
        game.report(&stage, "dead", gavel_tests::Due::Outcome(k)),
        Err(PlayError::Node(_))
    ));
}

/// It dies, and comes back with its chain: the game goes on where it was.
#[test]
fn a_node_that_comes_back() {
    let stage = example("price_feed");
    let case = stage.usual().unwrap();
    let k = case.outcome.unwrap();
    let table = Table::seat(&stage).unwrap();
    let proofs = table.vouch(&case.words).unwrap();
    let mut game = Game::begin(table, &[(0, k, proofs)], |_, party| party.into()).unwrap();
    assert!(game.round().unwrap().is_some());
    let (user, password) = credentials(&game.node);
    game.node.restart().unwrap();
    let chain = CoreRpc::connect(game.node.rpc().url(), &user, &password, "regtest");
    let reachable = chain.and_then(|chain| chain.height()).is_ok();
    match game.play(&mut |_| ()) {
        Ok(()) => {
            let report = game
                .report(&stage, "restarted", gavel_tests::Due::Outcome(k))
                .unwrap();
            assert_eq!(report.paid.as_deref(), Some("AliceWins"));
        }
        // A node with a cookie has a new one, or another port: an error, and no other.
        Err(PlayError::Run(RunError::Chain(ChainError::Unreachable { .. }))) => {
            assert!(!reachable, "the node is back, the game is not");
        }
        Err(error) => panic!("{error}"),
    }
}
