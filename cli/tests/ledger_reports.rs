//! `gavel test` on a ledger: what fails is shown with the call and the state around it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use support::Shop;

/// A ledger whose withdrawals take a fee that its total forgets.
const BANK: &str = "contract Bank {
    param fee: u64 where fee > 0 && fee < 10
    asset Coin
    error Empty
    event Paid { who: pubkey, n: u64 }
    state {
        pool: vault<Coin>
        wallet: map<pubkey, vault<Coin>>
        total: u64
    }
    invariant sum(wallet[_]) == total

    entry pay(from: pubkey, to: pubkey, n: u64) signed by from {
        require n > 0 else Empty
        wallet[to].put(wallet[from].take(n))
        emit Paid { who: to, n }
    }
    entry leave(who: pubkey, n: u64) signed by who {
        pool.put(wallet[who].take(n))
        if n > fee { total -= n }
    }

    test \"a payment\" {
        with fee = 1, wallet[ALICE] = 100, total = 100
        call pay(ALICE, BOB, 30) as ALICE emits Paid { who: BOB }
        call pay(ALICE, BOB, 30) as BOB fails NotSigned
        assert wallet[BOB].amount == 30
    }
    test \"too much\" {
        with fee = 1, wallet[ALICE] = 100, total = 100
        call pay(ALICE, BOB, 101) as ALICE
    }
    test \"another error\" {
        with fee = 1, wallet[ALICE] = 100, total = 100
        call pay(ALICE, BOB, 101) as ALICE fails Empty
    }
    test \"no error\" {
        with fee = 1, wallet[ALICE] = 100, total = 100
        call pay(ALICE, BOB, 1) as ALICE fails Empty
    }
    test \"another event\" {
        with fee = 1, wallet[ALICE] = 100, total = 100
        call pay(ALICE, BOB, 1) as ALICE emits Paid { n: 2 }
    }
    test \"an assert\" {
        with fee = 1, wallet[ALICE] = 100, total = 100
        for n in 1..4 {
            call pay(ALICE, BOB, n) as ALICE
            assert wallet[BOB].amount < 3
        }
    }
    test \"a wrong beginning\" {
        with fee = 1, wallet[ALICE] = 100
        call pay(ALICE, BOB, 1) as ALICE
    }
    prop payments_keep_the_sum(n in 1..1_000, who: pubkey) {
        with wallet[who] = n, total = n
        call pay(who, BOB, n) as who
        assert sum(wallet[_]) == n as u128
    }
    prop leaving_keeps_the_books(n in 1..1_000) {
        with wallet[ALICE] = 1_000, total = 1_000
        call leave(ALICE, n) as ALICE
    }
}
";

#[test]
fn what_fails_is_shown() {
    let shop = Shop::new();
    shop.write("bank.gvl", BANK);
    let commands = [
        "test bank.gvl",
        "test bank.gvl --only leaving --seed 7",
        "test bank.gvl --only leaving --json",
        "test bank.gvl --only assert --json",
        "test bank.gvl --only payment",
    ];
    let shown = commands.map(|command| format!("$ gavel {command}\n{}", shop.gavel(command).all()));
    insta::assert_snapshot!(shown.join("\n"));
    assert_eq!(shop.gavel("test bank.gvl").code, 1);
    assert_eq!(shop.gavel("test bank.gvl --only payment").code, 0);
}
