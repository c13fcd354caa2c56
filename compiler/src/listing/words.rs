//! What words are called: inputs by their names, the rest by the text that they come from.

use super::{About, Listing, Place, Tag};
use crate::artifact::{Compiled, kind, library_at};
use crate::script::body::definitions;
use crate::script::marks::{Bitwise, Count, Form, Name, Notes, Piece, Stored, Table};
use crate::segment::{ElementId, Plan};
use crate::word::{Op, Program, Span, Value};
use std::collections::{BTreeMap, HashMap};

/// Most characters of a name that comes from the source.
const LONGEST: usize = 32;

/// What is known of one word.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    /// `` `a + b` ``, `` `price`[1] ``.
    text: String,
    /// The operation that computes it.
    op: &'static str,
    place: Option<usize>,
    /// It has one digit only.
    small: bool,
}

/// What words, conditions and comparisons of a body are called.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    /// By value of the noted program.
    words: Vec<Word>,
    /// Conditions that raise the verdict, in order.
    flags: Vec<(String, Option<usize>)>,
    /// Digits that are compared, in order.
    compared: Vec<Compared>,
    pub(super) places: Vec<Place>,
}

/// A digit that is compared with the claimed one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Compared {
    digit: u8,
    /// Of which word.
    text: String,
    /// Where that is claimed.
    claimed: String,
    place: Option<usize>,
}

/// Makes the words: knows the source.
struct Maker<'a> {
    compiled: &'a Compiled,
    /// By value, the instruction that defines it.
    defs: Vec<usize>,
    places: Vec<Place>,
    known: HashMap<(u32, usize), usize>,
    spans: HashMap<Span, Option<usize>>,
}

impl Words {
    pub(super) fn of(
        compiled: &Compiled,
        segment: usize,
        claimed: Option<u8>,
        notes: &Notes,
    ) -> Self {
        let mut maker = Maker {
            compiled,
            defs: definitions(&compiled.plan.program),
            places: Vec::new(),
            known: HashMap::new(),
            spans: HashMap::new(),
        };
        let mut words = Self::default();
        let (Some(task), Some(found)) = (&notes.program, compiled.plan.segments.get(segment))
        else {
            return words;
        };
        let reads = committed(&compiled.plan, &found.reads);
        words.words = maker.words(task, &reads);
        words.flags = maker.flags(task, found.insts.clone());
        if let Some(outcome) = claimed {
            let name = compiled.plan.program.outcomes.get(usize::from(outcome));
            let text = format!("the outcome is not {}", name.map_or("?", |name| name));
            words.flags.push((text, None));
        }
        for (element, n, value) in committed(&compiled.plan, &found.writes) {
            let of = compiled.plan.elements.get(element.index());
            let word = of.and_then(|element| element.words.get(n));
            let (text, place) = maker.value(value);
            let name = of.map_or("", |element| element.name.as_str());
            let compared = |digit| Compared {
                digit,
                text: text.clone(),
                claimed: format!("`{name}`[{n}]"),
                place,
            };
            let digits = word.map_or(0, |word| word.digits);
            words.compared.extend((0..digits).map(compared));
        }
        words.places = maker.places;
        words
    }

    /// The line that something is done for.
    pub(super) fn place(&self, about: About) -> Option<usize> {
        match about {
            About::Word(name) => self.words.get(name.value.index())?.place,
            About::Flag(n) => self.flags.get(n)?.1,
            About::Compare(n, _) => self.compared.get(n)?.place,
            _ => None,
        }
    }
}

/// The words of some elements: element, index within it, value.
fn committed(plan: &Plan, ids: &[ElementId]) -> Vec<(ElementId, usize, Value)> {
    let words = ids.iter().flat_map(|id| {
        let element = plan.elements.get(id.index());
        let words = element.into_iter().flat_map(|element| element.words.iter());
        words.enumerate().map(|(n, word)| (*id, n, word.value))
    });
    words.collect()
}

impl Maker<'_> {
    fn words(&mut self, task: &Program, reads: &[(ElementId, usize, Value)]) -> Vec<Word> {
        let bits = task.bits();
        let mut of_span: HashMap<Span, usize> = HashMap::new();
        for inst in task.insts.iter().filter(|inst| inst.op.results() > 0) {
            *of_span.entry(inst.span).or_default() += 1;
        }
        let mut seen: HashMap<Span, usize> = HashMap::new();
        let mut words = Vec::with_capacity(task.value_count());
        for inst in task.insts.iter().filter(|inst| inst.op.results() > 0) {
            let nth = seen.entry(inst.span).or_default();
            *nth += 1;
            let (text, place) = match inst.op {
                Op::Input(n) => match reads.get(usize::from(n)) {
                    Some(read) => self.read(*read),
                    None => ("?".to_owned(), None),
                },
                _ => {
                    let place = self.place(inst.span);
                    let mut text = self.text(inst.span, kind(&inst.op));
                    if of_span.get(&inst.span).is_some_and(|count| *count > 1) {
                        text.push_str(&format!("#{nth}"));
                    }
                    (text, place)
                }
            };
            let results = inst.op.results();
            for n in 0..results {
                let value = inst.first.index() + n as usize;
                words.push(Word {
                    text: match results {
                        1 => text.clone(),
                        _ => format!("{text}[{n}]"),
                    },
                    op: kind(&inst.op),
                    place,
                    small: bits.get(value).is_some_and(|bits| *bits <= 4),
                });
            }
        }
        words
    }

    /// The conditions that abort, as the body raises them.
    fn flags(
        &mut self,
        task: &Program,
        insts: std::ops::Range<usize>,
    ) -> Vec<(String, Option<usize>)> {
        let program = &self.compiled.plan.program;
        let aborts = task.insts.iter().filter_map(|inst| match inst.op {
            Op::AbortIf(_, 0) => Some(inst.span),
            _ => None,
        });
        let aborts: Vec<Span> = aborts.collect();
        let found = program.insts.get(insts).unwrap_or_default();
        let name = |span: Span| {
            let code = found.iter().find_map(|inst| match inst.op {
                Op::AbortIf(_, code) if inst.span == span => Some(code),
                _ => None,
            });
            let abort = program.aborts.get(usize::from(code?))?;
            Some(abort.name.clone())
        };
        let flag = |span: Span| {
            let name = name(span).unwrap_or_else(|| "something".to_owned());
            (format!("`{name}` aborts"), self.place(span))
        };
        aborts.into_iter().map(flag).collect()
    }

    /// A word that is read: of a frame, with where it stands there.
    fn read(&mut self, (id, n, value): (ElementId, usize, Value)) -> (String, Option<usize>) {
        let (text, place) = self.value(value);
        let inputs = self.compiled.plan.program.inputs.len();
        match id.index() < inputs {
            true => (text, place),
            false => (format!("{text}@{}[{n}]", id.0), place),
        }
    }

    /// A value of the whole program.
    fn value(&mut self, value: Value) -> (String, Option<usize>) {
        let program = &self.compiled.plan.program;
        let at = self.defs.get(value.index());
        let inst = at.and_then(|at| program.insts.get(*at));
        let Some(inst) = inst else {
            return (format!("value {}", value.0), None);
        };
        let place = self.place(inst.span);
        let Op::Input(n) = inst.op else {
            let text = self.text(inst.span, kind(&inst.op));
            return match inst.op.results() {
                1 => (text, place),
                _ => (format!("{text}[{}]", value.0 - inst.first.0), place),
            };
        };
        let mut rest = usize::from(n);
        for element in &program.inputs {
            match rest.checked_sub(element.words.len()) {
                Some(more) => rest = more,
                None if element.words.len() == 1 => return (format!("`{}`", element.name), place),
                None => return (format!("`{}`[{rest}]", element.name), place),
            }
        }
        (format!("input {n}"), place)
    }

    /// What stands there, on one line and not too long; where nothing does, the operation.
    fn text(&self, span: Span, op: &str) -> String {
        let text = self.compiled.sources.slice(span);
        let words: Vec<&str> = text.split_whitespace().collect();
        let text = words.join(" ");
        match text.chars().count() {
            0 => op.to_owned(),
            n if n <= LONGEST => format!("`{text}`"),
            _ => {
                let short: String = text.chars().take(LONGEST - 1).collect();
                format!("`{}…`", short.trim_end())
            }
        }
    }

    fn place(&mut self, span: Span) -> Option<usize> {
        if let Some(known) = self.spans.get(&span) {
            return *known;
        }
        let place = self.new_place(span);
        self.spans.insert(span, place);
        place
    }

    fn new_place(&mut self, span: Span) -> Option<usize> {
        let sources = &self.compiled.sources;
        let [line, _] = sources.lines(span)?;
        let file = sources.file_at(span.start);
        let places = &mut self.places;
        let index = self.known.entry((file.base(), line)).or_insert_with(|| {
            let text = file.text().lines().nth(line - 1).unwrap_or_default();
            places.push(Place {
                file: library_at(sources, span),
                line,
                text: text.trim().to_owned(),
            });
            places.len() - 1
        });
        Some(*index)
    }
}

impl Listing {
    /// A stack item's name: `` `a + b`.3 `` is digit 3 of a word, a `~` after it means that it is
    /// spread, a `^` that it is the row of a table; `` carry(`a + b`.3) `` is what digit 3 carries.
    pub fn show(&self, tag: Tag) -> String {
        match tag {
            Tag::Unknown => "·".to_owned(),
            Tag::Number(n) => n.to_string(),
            Tag::Signature(n) => format!("signature {}", n + 1),
            Tag::Chain(c, d) => format!("chain {}", self.committed(c, d)),
            Tag::Item(c, d) => format!("{}+1", self.committed(c, d)),
            Tag::Digit(c, d) => self.committed(c, d),
            Tag::Table(table) => format!("table {}", table_name(table)),
            Tag::Tables => "tables".to_owned(),
            Tag::Sum(c) => {
                let name = self.checks.get(c).map_or("?", |check| check.name.as_str());
                format!("sum of `{name}`")
            }
            Tag::Valid => "valid signatures".to_owned(),
            Tag::Verdict => "verdict".to_owned(),
            Tag::Multiple(name, times) => format!("{times}×{}", self.show(Tag::Word(name, 0))),
            Tag::Multiples(name) => format!("multiples of {}", self.show(Tag::Word(name, 0))),
            Tag::Word(name, bias) => {
                let text = self.piece(name);
                let text = match name.form {
                    Form::Plain(_) => text,
                    Form::Row(_) => format!("{text}^"),
                    Form::Spread(_) => format!("{text}~"),
                    Form::Carry(_) => format!("carry({text})"),
                    Form::Part(_) => format!("part({text})"),
                };
                match bias {
                    0 => text,
                    bias => format!("{text}{bias:+}"),
                }
            }
        }
    }

    fn piece(&self, name: Name) -> String {
        let word = self.words.words.get(name.value.index());
        let text = match word {
            Some(word) => word.text.clone(),
            None => format!("value {}", name.value.0),
        };
        match name.form.piece() {
            Piece::Digit(0) if word.is_some_and(|word| word.small) => text,
            Piece::Digit(n) => format!("{text}.{n}"),
            Piece::Half(0) => format!("{text}.low"),
            Piece::Half(_) => format!("{text}.high"),
            Piece::Whole => text,
        }
    }

    /// A digit of a commitment: `` `price`[1].3 ``.
    fn committed(&self, check: usize, digit: usize) -> String {
        let Some(check) = self.checks.get(check) else {
            return "?".to_owned();
        };
        match check.place(digit) {
            None => format!("`{}`.sum{}", check.name, digit - check.shape().message),
            Some((_, digit)) if check.words.len() == 1 => format!("`{}`.{digit}", check.name),
            Some((word, digit)) => format!("`{}`[{word}].{digit}", check.name),
        }
    }

    /// What a run does, in words.
    pub fn describe(&self, about: About) -> String {
        match about {
            About::Signature(n) => format!("signature {}", n + 1),
            About::Digit(c, d) => format!("check of {}", self.committed(c, d)),
            About::Checksum(c) => {
                let name = self.checks.get(c).map_or("?", |check| check.name.as_str());
                format!("checksum of `{name}`")
            }
            About::Tables => format!("tables: {}", self.tables()),
            About::Join => "claimed digits wait in pairs".to_owned(),
            About::Unread => "nothing needs what is read".to_owned(),
            About::End => "what stays decides".to_owned(),
            About::Authors => "the author signed the same, if anything".to_owned(),
            About::Lock => "time lock".to_owned(),
            About::Other => "other".to_owned(),
            About::Flag(n) => match self.words.flags.get(n) {
                Some((text, _)) => format!("accuses if {text}"),
                None => "accuses".to_owned(),
            },
            About::Compare(first, digits) => self.describe_compared(first, digits),
            About::Word(name) => self.describe_word(name),
        }
    }

    fn describe_compared(&self, first: usize, digits: usize) -> String {
        let compared = self.words.compared.get(first..).unwrap_or_default();
        let compared = compared.get(..digits).unwrap_or(compared);
        let of_one_word =
            |a: &Compared, b: &Compared| (&a.text, &a.claimed) == (&b.text, &b.claimed);
        let parts = compared.chunk_by(of_one_word).filter_map(|part| {
            let (low, high) = (part.first()?, part.last()?);
            let Compared { text, claimed, .. } = low;
            Some(match (low.digit, high.digit) {
                (low, high) if low == high => {
                    format!("digit {low} of {text} is not as claimed in {claimed}")
                }
                (low, high) => {
                    format!("digits {low} to {high} of {text} are not as claimed in {claimed}")
                }
            })
        });
        match parts.collect::<Vec<_>>().join(", or ") {
            text if text.is_empty() => "accuses".to_owned(),
            text => format!("accuses if {text}"),
        }
    }

    /// The tables' names, and how many cells each has.
    fn tables(&self) -> String {
        let mut cells: BTreeMap<Table, usize> = BTreeMap::new();
        for table in self.notes.tables().iter().flatten() {
            *cells.entry(*table).or_default() += 1;
        }
        let name = |(table, cells): (&Table, &usize)| format!("{} ×{cells}", table_name(*table));
        let names: Vec<String> = cells.iter().map(name).collect();
        names.join("; ")
    }

    fn describe_word(&self, name: Name) -> String {
        let word = self.words.words.get(name.value.index());
        let (text, op) = word.map_or(("?", ""), |word| (word.text.as_str(), word.op));
        let piece = match name.form.piece() {
            Piece::Digit(n) => format!("digit {n} of {text}"),
            Piece::Half(0) => format!("lower half of {text}"),
            Piece::Half(_) => format!("upper half of {text}"),
            Piece::Whole => text.to_owned(),
        };
        let part = match name.form {
            Form::Plain(Piece::Half(_) | Piece::Whole) if op == "input" => {
                return format!("{} from its digits", self.show(Tag::Word(name, 0)));
            }
            Form::Plain(_) | Form::Row(_) | Form::Spread(_) if op == "input" => {
                return format!("{} is read", self.show(Tag::Word(name, 0)));
            }
            Form::Plain(_) => piece,
            Form::Row(_) => format!("{piece}, as a row"),
            Form::Spread(_) => format!("{piece}, spread"),
            Form::Carry(_) => format!("carry of {piece}"),
            Form::Part(_) => format!("for {piece}"),
        };
        format!("{part} ({op})")
    }
}

/// What a table gives.
fn table_name(table: Table) -> String {
    let (name, out) = match table {
        Table::Digit { out, .. } => return of_digit(out),
        Table::Pair { op, out } => (bitwise(op).to_owned(), out),
        Table::Spread { of, out } => (count(of).to_owned(), out),
        Table::Window {
            bits, above, out, ..
        } => match above {
            true => (format!(">> {bits} across digits"), out),
            false => (format!("<< {bits} across digits"), out),
        },
        Table::Low { out, .. } => ("low digit".to_owned(), out),
        Table::Carry { .. } => ("carry".to_owned(), Stored::PLAIN),
    };
    name + &stored(out)
}

fn bitwise(op: Bitwise) -> &'static str {
    match op {
        Bitwise::And => "and",
        Bitwise::Or => "or",
        Bitwise::Xor => "xor",
    }
}

fn count(of: Count) -> &'static str {
    match of {
        Count::Both => "and",
        Count::Any => "or",
        Count::Odd => "xor",
    }
}

/// How a table stores what it gives, if not plain.
fn stored(out: Stored) -> String {
    match out {
        Stored::PLAIN => "",
        Stored::ROW => ", as a row",
        Stored::SPREAD => ", spread",
        _ => ", in a form of its own",
    }
    .to_owned()
}

/// A function of one digit: it, and the form of the result.
fn of_digit(out: Stored) -> String {
    let masks = (0..15u8).rev().map(|mask| (format!("& {mask}"), mask, 0));
    let right = (1..4).map(|by| (format!(">> {by}"), 15, by));
    let left = (1..4).map(|by| (format!("<< {by}"), 15, -by));
    let all = std::iter::once((String::new(), 15, 0))
        .chain(right)
        .chain(left)
        .chain(masks);
    for (name, mask, by) in all {
        let function = |digit: u8| match by {
            0.. => (digit & mask) >> by,
            _ => (digit << -by) & 15,
        };
        for form in [Stored::PLAIN, Stored::ROW, Stored::SPREAD] {
            if form.after(function) == out {
                let form = match (name.as_str(), form) {
                    ("", Stored::PLAIN) => "plain".to_owned(),
                    ("", form) => stored(form).replace(", ", ""),
                    (_, form) => stored(form),
                };
                return name + &form;
            }
        }
    }
    let cells = out.0.iter().map(|n| u32::try_from(*n).ok());
    let cells: Option<String> = cells.map(|n| char::from_digit(n?, 16)).collect();
    match cells {
        Some(cells) => format!("of a digit, {cells}"),
        None => "of a digit".to_owned(),
    }
}
