//! Mining, money, reorgs, refusals, packages: on a real node.

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::script::Builder;
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, OutPoint, Script, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, WScriptHash,
    Witness, opcodes,
};
use gavel_regtest::{Error, Funded, Node};

/// `OP_TRUE` behind a witness script hash: anybody can spend it, by relay policy too.
fn anyone() -> (ScriptBuf, ScriptBuf) {
    let inner = Builder::new().push_opcode(opcodes::OP_TRUE).into_script();
    (
        ScriptBuf::new_p2wsh(&WScriptHash::hash(inner.as_bytes())),
        inner,
    )
}

/// Pay to anchor.
fn anchor() -> ScriptBuf {
    ScriptBuf::from_bytes(vec![0x51, 0x02, 0x4e, 0x73])
}

fn spend(
    version: i32,
    inputs: &[(OutPoint, Witness)],
    outputs: &[(ScriptBuf, u64)],
) -> Transaction {
    Transaction {
        version: Version(version),
        lock_time: LockTime::ZERO,
        input: inputs
            .iter()
            .map(|(previous_output, witness)| TxIn {
                previous_output: *previous_output,
                script_sig: ScriptBuf::new(),
                sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
                witness: witness.clone(),
            })
            .collect(),
        output: outputs
            .iter()
            .map(|(script, sats)| TxOut {
                value: Amount::from_sat(*sats),
                script_pubkey: script.clone(),
            })
            .collect(),
    }
}

fn open() -> Witness {
    Witness::from_slice(&[anyone().1.as_bytes()])
}

fn fund(node: &Node, sats: u64) -> Funded {
    node.rpc()
        .fund(&anyone().0, Amount::from_sat(sats))
        .expect("the faucet pays")
}

#[test]
fn mines_and_reads_blocks() {
    let node = Node::start().expect("a node starts");
    let rpc = node.rpc();
    let mut told = Vec::new();
    let hashes = rpc
        .mine_watched(450, &anyone().0, &mut |done| told.push(done))
        .expect("mines");
    assert_eq!((hashes.len(), told), (450, vec![200, 400, 450]));
    assert_eq!(rpc.height().expect("height"), 450);
    assert_eq!(Some(&rpc.best_hash().expect("best")), hashes.last());
    let blocks = rpc.blocks(0..=450).expect("blocks");
    assert_eq!(blocks.len(), 451);
    for (pair, hash) in blocks.windows(2).zip(&hashes) {
        assert_eq!(pair[1].header.prev_blockhash, pair[0].block_hash());
        assert_eq!(pair[1].block_hash(), *hash);
    }
    assert_eq!(rpc.block_at(7).expect("call").as_ref(), blocks.get(7));
    assert_eq!(rpc.block_at(451).expect("call"), None);
    assert_eq!(
        rpc.block(&bitcoin::BlockHash::all_zeros()).expect("call"),
        None
    );
    assert!(rpc.blocks(440..=460).is_err());
}

#[test]
fn the_faucet_pays_again_and_again() {
    let node = Node::start().expect("a node starts");
    let rpc = node.rpc();
    let first = fund(&node, 100_000);
    assert_eq!(first.output.value, Amount::from_sat(100_000));
    let unspent = rpc
        .unspent(&first.outpoint, true)
        .expect("call")
        .expect("it is there");
    assert_eq!((unspent.confirmations, unspent.coinbase), (1, false));
    assert_eq!(unspent.output, first.output);
    for _ in 0..5 {
        fund(&node, 1_000_000_000);
    }
    let sats: Vec<u64> = (1..=300).map(|i| 1_000 * i).collect();
    let payments: Vec<_> = sats
        .iter()
        .map(|sats| (anyone().0, Amount::from_sat(*sats)))
        .collect();
    let funded = rpc.fund_all(&payments).expect("pays many");
    assert!(
        funded
            .iter()
            .zip(&sats)
            .all(|(f, s)| f.output.value == Amount::from_sat(*s))
    );
    assert!(rpc.mempool().expect("mempool").is_empty());
    let found = rpc
        .confirmation(&first.outpoint.txid, 0)
        .expect("call")
        .expect("confirmed");
    assert_eq!(found.height, first.height);
    assert_eq!(rpc.confirmation(&Txid::all_zeros(), 0).expect("call"), None);
    // four times what a coinbase has: several coins, mined when needed
    let big = rpc
        .fund(&anyone().0, Amount::from_int_btc(200))
        .expect("pays");
    assert_eq!(big.output.value, Amount::from_int_btc(200));
    let error = rpc
        .fund(&anyone().0, Amount::from_int_btc(1_000_000))
        .expect_err("too much");
    assert!(matches!(error, Error::FaucetDry { .. }), "{error}");
    let error = rpc
        .fund(&anyone().0, Amount::from_sat(1))
        .expect_err("dust");
    assert_eq!(
        error.reject().map(|r| r.reason.as_str()),
        Some("dust"),
        "{error}"
    );
}

#[test]
fn a_chain_without_subsidy_has_a_dry_faucet() {
    let node = Node::start().expect("a node starts");
    node.rpc().mine_to(3_000, &anyone().0).expect("mines");
    let error = node
        .rpc()
        .fund(&anyone().0, Amount::from_sat(1_000_000))
        .expect_err("dry");
    assert!(matches!(error, Error::FaucetDry { .. }), "{error}");
}

#[test]
fn reorgs_give_transactions_back() {
    let node = Node::start().expect("a node starts");
    let rpc = node.rpc();
    let coin = fund(&node, 50_000);
    let tx = spend(2, &[(coin.outpoint, open())], &[(anyone().0, 49_000)]);
    let txid = rpc.submit(&tx).expect("accepted");
    assert_eq!(rpc.mempool().expect("mempool"), [txid]);
    assert_eq!(rpc.mempool_tx(&txid).expect("call"), Some(tx.clone()));
    assert_eq!(
        rpc.mempool_spenders(&[coin.outpoint]).expect("call"),
        [Some(txid)]
    );
    rpc.mine(2).expect("mines");
    let tip = rpc.best_hash().expect("best");
    assert_eq!(rpc.mempool_tx(&txid).expect("call"), None);
    let found = rpc
        .confirmation(&txid, coin.height)
        .expect("call")
        .expect("confirmed");
    assert_eq!((found.confirmations, &found.tx), (2, &tx));

    let (best, undone) = rpc.rewind(2).expect("rewinds");
    assert_ne!(best, tip);
    assert_eq!(rpc.mempool().expect("mempool"), [txid]);
    assert_eq!(rpc.confirmation(&txid, coin.height).expect("call"), None);
    rpc.reconsider(&undone).expect("takes it back");
    assert_eq!(rpc.best_hash().expect("best"), tip);
    assert!(rpc.mempool().expect("mempool").is_empty());

    // the funding itself goes back to the mempool: the faucet doesn't spend its coins twice
    rpc.rewind(3).expect("rewinds");
    assert_eq!(rpc.mempool().expect("mempool").len(), 2);
    fund(&node, 60_000);
    assert_eq!(rpc.mempool().expect("mempool").len(), 2);
    assert!(rpc.rewind(10_000).is_err());
}

/// The same transactions on the same parent within the same second: a node makes the very block
/// that it holds for invalid, and refuses it.
#[test]
fn what_was_disconnected_is_mined_again_at_once() {
    let node = Node::start().expect("a node starts");
    let rpc = node.rpc();
    // So many blocks in no time that block times run ahead of the clock.
    rpc.mine(150).expect("mines");
    let coin = fund(&node, 50_000);
    for _ in 0..3 {
        let (parent, gone) = rpc.rewind(1).expect("rewinds");
        let new = rpc.mine(1).expect("mines again");
        assert_ne!(new, [gone]);
        let id = coin.outpoint.txid;
        let again = rpc.confirmation(&id, coin.height).expect("call");
        assert_eq!(again.expect("confirmed").confirmations, 1);
        rpc.rewind(1).expect("rewinds");
        let tx = rpc.mempool_tx(&id).expect("call").expect("it waits again");
        let alone = rpc.mine_block_with(&[tx]).expect("mines again");
        assert_eq!(rpc.best_hash().expect("best"), alone);
        assert_ne!(parent, alone);
    }
}

#[test]
fn refusals_carry_their_reason() {
    let node = Node::start().expect("a node starts");
    let rpc = node.rpc();
    let coin = fund(&node, 50_000);
    let one = |version, sats, sequence| {
        let mut tx = spend(version, &[(coin.outpoint, open())], &[(anyone().0, sats)]);
        tx.input[0].sequence = sequence;
        tx
    };
    let fine = Sequence::ENABLE_RBF_NO_LOCKTIME;
    let mut wrong_witness = one(2, 49_000, fine);
    wrong_witness.input[0].witness = Witness::from_slice(&[b"\x52"]);
    let mut nobodys = one(2, 49_000, fine);
    nobodys.input[0].previous_output.vout += 77;
    for (tx, reason) in [
        (one(2, 50_000, fine), "min relay fee not met"),
        (one(2, 60_000, fine), "bad-txns-in-belowout"),
        (one(2, 49_000, Sequence::from_height(10)), "non-BIP68-final"),
        (one(9, 49_000, fine), "version"),
        (one(2, 100, fine), "dust"),
    ] {
        let error = rpc.submit(&tx).expect_err(reason);
        assert_eq!(
            error.reject().map(|r| r.reason.as_str()),
            Some(reason),
            "{error}"
        );
        let verdict = rpc.test_accept(&tx).expect("a verdict");
        assert_eq!(verdict.reject.map(|r| r.reason).as_deref(), Some(reason));
        assert!(!verdict.allowed);
    }
    let error = rpc.submit(&wrong_witness).expect_err("wrong witness");
    assert!(
        error
            .reject()
            .is_some_and(|r| r.reason.contains("script-verify-flag")),
        "{error}"
    );
    let error = rpc.submit(&nobodys).expect_err("no such output");
    assert_eq!(
        error.reject().map(|r| r.reason.as_str()),
        Some("bad-txns-inputs-missingorspent"),
        "{error}"
    );
    // policy is not consensus: version 9 may be mined, a lie about time may not
    let error = rpc
        .mine_block_with(&[one(2, 49_000, Sequence::from_height(10))])
        .expect_err("too early");
    assert_eq!(
        error.reject().map(|r| r.reason.as_str()),
        Some("bad-txns-nonfinal"),
        "{error}"
    );
    let nonstandard = one(9, 49_000, fine);
    let verdict = rpc.test_accept(&one(2, 49_000, fine)).expect("a verdict");
    assert_eq!(
        (verdict.allowed, verdict.fee),
        (true, Some(Amount::from_sat(1_000)))
    );
    rpc.mine_block_with(std::slice::from_ref(&nonstandard))
        .expect("valid by consensus");
    let found = rpc
        .confirmation(&nonstandard.compute_txid(), 0)
        .expect("call");
    assert_eq!(found.map(|f| f.confirmations), Some(1));
}

#[test]
fn a_package_pays_for_its_parent() {
    let node = Node::start().expect("a node starts");
    let rpc = node.rpc();
    let (coin, purse) = (fund(&node, 50_000), fund(&node, 20_000));
    // version 3, no fee, an anchor below dust
    let parent = spend(
        3,
        &[(coin.outpoint, open())],
        &[(anyone().0, 50_000), (anchor(), 0)],
    );
    let to_anchor = (OutPoint::new(parent.compute_txid(), 1), Witness::new());
    let child = |sats| {
        let inputs = [to_anchor.clone(), (purse.outpoint, open())];
        spend(3, &inputs, &[(anyone().0, sats)])
    };
    let error = rpc.submit(&parent).expect_err("no fee");
    assert!(error.reject().is_some(), "{error}");

    let error = rpc
        .submit_package(&[parent.clone(), child(20_000)])
        .expect_err("no fee at all");
    let Error::PackageRejected(report) = &error else {
        unreachable!("{error}")
    };
    assert!(!report.is_accepted());
    assert_eq!(report.txs.len(), 2);

    // a fee rate of 100 sat/vB, which the node's default maxfeerate would refuse in a child
    let good = child(1_000);
    let report = rpc
        .submit_package(&[parent.clone(), good.clone()])
        .expect("accepted");
    assert!(report.is_accepted());
    assert_eq!(report.txs[0].fee, Some(Amount::ZERO));
    assert_eq!(report.txs[1].fee, Some(Amount::from_sat(19_000)));
    let info = rpc.mempool_info().expect("info");
    assert_eq!(info.transactions, 2);
    assert_eq!(info.vbytes, (parent.vsize() + good.vsize()) as u64);
    assert!(info.min_fee_rate.to_sat_per_kwu() >= 25);
    // an output that pays to an anchor is read as well
    let anchored = rpc
        .unspent(&OutPoint::new(parent.compute_txid(), 0), true)
        .expect("call");
    assert_eq!(anchored.map(|u| u.confirmations), Some(0));
    rpc.mine(1).expect("mines");
    assert!(
        rpc.confirmation(&parent.compute_txid(), 0)
            .expect("call")
            .is_some()
    );

    let error = rpc
        .submit_package(&[good, parent])
        .expect_err("the wrong way round");
    assert!(
        error.reject().is_some() || matches!(error, Error::Rpc { .. }),
        "{error}"
    );
}

#[test]
fn several_verdicts_at_once() {
    let node = Node::start().expect("a node starts");
    let rpc = node.rpc();
    let coin = fund(&node, 50_000);
    let parent = spend(2, &[(coin.outpoint, open())], &[(anyone().0, 49_000)]);
    let child = |sats| {
        let coin = OutPoint::new(parent.compute_txid(), 0);
        spend(2, &[(coin, open())], &[(anyone().0, sats)])
    };
    let verdicts = rpc
        .test_accept_all(&[parent.clone(), child(48_000)])
        .expect("verdicts");
    assert!(verdicts.iter().all(|verdict| verdict.allowed));
    // one bad apple: bitcoincore-rpc 0.19 can't read this reply
    let verdicts = rpc
        .test_accept_all(&[parent.clone(), child(100)])
        .expect("verdicts");
    assert!(!verdicts[1].allowed);
    assert_eq!(
        verdicts[1].reject.as_ref().map(|r| r.reason.as_str()),
        Some("dust")
    );
}

#[test]
fn blocks_made_elsewhere_are_taken() {
    let (one, other) = (
        Node::start().expect("starts"),
        Node::start().expect("starts"),
    );
    one.rpc().mine(3).expect("mines");
    for block in one.rpc().blocks(1..=3).expect("blocks") {
        other.rpc().submit_block(&block).expect("taken");
    }
    assert_eq!(
        one.rpc().best_hash().expect("best"),
        other.rpc().best_hash().expect("best")
    );
    let mut bad = one.rpc().block_at(3).expect("call").expect("block");
    bad.header.prev_blockhash = bitcoin::BlockHash::all_zeros();
    let error = other.rpc().submit_block(&bad).expect_err("no such parent");
    assert!(
        matches!(error, Error::Rejected(_) | Error::Rpc { .. }),
        "{error}"
    );
}

#[test]
fn any_script_can_be_mined_to() {
    let node = Node::start().expect("a node starts");
    for script in [anchor(), ScriptBuf::from_bytes(vec![0x6a, 0x01, 0x07])] {
        let script: &Script = &script;
        node.rpc().mine_to(1, script).expect("mines");
        let block = node.rpc().block_at(node.rpc().height().expect("height"));
        let coinbase = &block.expect("call").expect("block").txdata[0];
        assert_eq!(&*coinbase.output[0].script_pubkey, script);
    }
}
