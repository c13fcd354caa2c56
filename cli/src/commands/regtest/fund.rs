//! `gavel regtest fund`: money for an address.

use bitcoin::{Address, Amount, Denomination, Txid};
use serde::Serialize;

use super::place::Target;
use super::regtest_address;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Pay an address from the faucet, confirmed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Mines one block that holds the payment and nothing else, and before it as many as the faucet
needs to have something.

Examples:
  gavel regtest fund bcrt1q... 100000sat
  gavel regtest fund bcrt1q... 0.5btc --json")]
pub struct Fund {
    /// Whom to pay
    #[arg(value_parser = regtest_address)]
    address: Address,
    /// How much, e.g. 100000sat or 0.001btc; without a unit, satoshis
    #[arg(value_parser = amount, allow_negative_numbers = true)]
    amount: Amount,
    #[command(flatten)]
    target: Target,
}

#[derive(Serialize)]
struct Paid {
    txid: Txid,
    vout: u32,
    sats: u64,
    height: u32,
}

impl Fund {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let rpc = self.target.connect()?;
        let funded = rpc.fund(&self.address.script_pubkey(), self.amount)?;
        let paid = Paid {
            txid: funded.outpoint.txid,
            vout: funded.outpoint.vout,
            sats: funded.output.value.to_sat(),
            height: funded.height,
        };
        output.result(&paid, || {
            format!(
                "paid {} sat: {}:{}, height {}",
                paid.sats, paid.txid, paid.vout, paid.height
            )
        });
        Ok(Exit::Good)
    }
}

/// Checks an amount: `100000`, `100_000 sat`, `0.5btc`.
fn amount(text: &str) -> Result<Amount, String> {
    let lower = text.trim().to_ascii_lowercase().replace('_', "");
    let (number, unit) = match lower.find(|c: char| c.is_ascii_alphabetic()) {
        Some(at) => lower.split_at(at),
        None => (lower.as_str(), "sat"),
    };
    let unit = match unit {
        "sat" | "sats" => Denomination::Satoshi,
        "btc" => Denomination::Bitcoin,
        _ => return Err("an amount ends in sat or btc".to_owned()),
    };
    let amount = Amount::from_str_in(number.trim(), unit).map_err(|error| error.to_string())?;
    if amount == Amount::ZERO || amount > Amount::MAX_MONEY {
        return Err("an amount is more than nothing and at most 21 million bitcoin".to_owned());
    }
    Ok(amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        for (text, sats) in [
            ("100000", Some(100_000)),
            ("100_000sat", Some(100_000)),
            ("7 sats", Some(7)),
            ("0.5BTC", Some(50_000_000)),
            ("0", None),
            ("-5", None),
            ("1.5sat", None),
            ("21000001btc", None),
            ("5 euro", None),
            ("", None),
        ] {
            assert_eq!(amount(text).ok().map(Amount::to_sat), sats, "{text}");
        }
    }
}
