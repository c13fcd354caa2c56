//! The long form of a code: what `gavel explain` prints.
//!
//! One file a code, `explain/E0101.md`: first what the code means and why the rule exists, then
//! blocks in ```` ```gvl fails ```` and ```` ```gvl passes ````. A ```` ```json ```` block holds
//! the parameters of the source before it. A code that no source text can show has no blocks,
//! and its text says why.
//!
//! An example shows what matters. What a contract needs besides comes from [`FRAME`], unless the
//! block is marked `whole`.

use super::Code;

/// What a code means, at length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongForm {
    /// What it means, and why the rule exists: paragraphs of plain text.
    pub text: &'static str,
    /// What gives a diagnostic of this code.
    pub fails: Option<Example>,
    /// The same, mended: it gives no diagnostic at all.
    pub passes: Option<Example>,
}

/// A source that shows a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// The part that matters.
    pub shown: &'static str,
    /// Parameters that it is tried with: a JSON object.
    pub params: Option<&'static str>,
    whole: bool,
}

/// The rest of an example's contract, part by part, each with how its first line starts. A part
/// stands in the contract if the example has none that starts like it.
const FRAME: [(&str, &str); 3] = [
    ("enum Outcome", "enum Outcome { AliceWins, BobWins }\n"),
    (
        "settle(",
        "\
settle(a: bool from alice, b: bool from bob) -> Outcome {
    if a == b { AliceWins } else { BobWins }
}
",
    ),
    (
        "coin ",
        "\
coin pot {
    fund alice: 50_000 sats
    fund bob: 50_000 sats
    pay AliceWins { alice: rest }
    pay BobWins { bob: rest }
    refund after 2_016 blocks { alice: 50_000 sats, bob: rest }
}
",
    ),
];

impl Example {
    /// The whole source.
    pub fn source(&self) -> String {
        if self.whole {
            return self.shown.to_owned();
        }
        let missing = |start: &str| !self.shown.lines().any(|line| line.starts_with(start));
        let mut parts = vec!["param alice: party\nparam bob: party\n", self.shown];
        parts.extend(FRAME.iter().filter(|f| missing(f.0)).map(|f| f.1));
        let mut source = String::from("contract Bet {\n");
        for line in parts.join("\n").lines() {
            let indent = if line.is_empty() { "" } else { "    " };
            source.push_str(&format!("{indent}{line}\n"));
        }
        source + "}\n"
    }
}

impl Code {
    /// What the code means at length, with an example.
    pub fn long_form(self) -> LongForm {
        let mut pieces = self.file().split("```");
        let mut form = LongForm {
            text: pieces.next().unwrap_or_default().trim_end(),
            fails: None,
            passes: None,
        };
        // Between two blocks there is nothing but a blank line.
        for (info, body) in pieces.filter_map(|piece| piece.split_once('\n')) {
            let mut words = info.split(' ');
            let language = words.next().unwrap_or_default();
            let example = match words.next() {
                Some("fails") => &mut form.fails,
                Some("passes") => &mut form.passes,
                _ => continue,
            };
            match (language, example) {
                ("gvl", slot) => {
                    *slot = Some(Example {
                        shown: body,
                        params: None,
                        whole: words.next() == Some("whole"),
                    });
                }
                ("json", Some(example)) => example.params = Some(body),
                _ => {}
            }
        }
        form
    }
}
