//! Reveals a group of inputs. The claimer signs every element; an author signs its elements
//! too, and the leaf checks that both signed the same digits. Where an element is optional,
//! the author signs what follows the tag, and only if the tag is 1.

use super::super::ScriptError;
use super::super::asm::Asm;
use super::super::code::{Code, number_len};
use super::super::winternitz::{self, Mode};
use super::SchnorrSignature;
use crate::commit::{PublicKey, Shape, Signature};
use crate::segment::ElementId;
use crate::units::StackDepth;
use bitcoin::{ScriptBuf, XOnlyPublicKey};

/// An input element with its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimElement {
    /// Digits per word.
    pub words: Vec<u8>,
    /// The claimer's one-time key for it.
    pub claimer: PublicKey,
    /// The author's one-time key, unless the claimer alone vouches for it.
    pub author: Option<PublicKey>,
    /// Whether the first word is a tag, and the element may be blank.
    pub optional: bool,
}

/// What reveals one element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimSignature {
    /// By the claimer.
    pub claimer: Signature,
    /// By the author, where there is one and the element isn't blank.
    pub author: Option<Signature>,
}

impl ClaimElement {
    /// What the claimer signs.
    pub fn shape(&self) -> Shape {
        Shape::of_words(&self.words)
    }

    /// What the author signs.
    pub fn author_shape(&self) -> Shape {
        Shape {
            message: self.shape().message - self.tag(),
        }
    }

    /// Digits of the tag.
    fn tag(&self) -> usize {
        match self.words.first() {
            Some(digits) if self.optional => usize::from(*digits),
            _ => 0,
        }
    }

    /// Whether a message of the claimer needs the author's signature.
    fn needs_author(&self, message: &[u8]) -> bool {
        let tag = message.get(..self.tag()).unwrap_or(&[]);
        let present = !self.optional
            || tag
                .iter()
                .enumerate()
                .all(|(n, digit)| *digit == u8::from(n == 0));
        self.author.is_some() && present
    }
}

/// The leaf. Witness, bottom first: for each element the author's one-time signature, if any,
/// and the claimer's; the claimer's Schnorr signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimReveal {
    /// The script.
    pub script: ScriptBuf,
    /// The elements, in order.
    pub elements: Vec<ClaimElement>,
    /// Highest stack plus altstack, witness included, nothing blank.
    pub peak: StackDepth,
}

impl ClaimReveal {
    /// The leaf for some elements and the claimer's key.
    ///
    /// # Errors
    /// [`ScriptError::KeyShape`] if a key does not fit its element.
    pub fn new(elements: &[ClaimElement], claimer: XOnlyPublicKey) -> Result<Self, ScriptError> {
        let mut asm = Asm::new(Self::items(elements), 0);
        asm.data(&claimer.serialize());
        asm.op(Code::CheckSigVerify);
        for (n, element) in elements.iter().enumerate().rev() {
            check_keys(n, element)?;
            check_element(&mut asm, element);
        }
        asm.num(1);
        let (script, peak) = asm.finish()?;
        Ok(Self {
            script: ScriptBuf::from_bytes(script),
            elements: elements.to_vec(),
            peak,
        })
    }

    /// Length of the script. Only the shapes of the keys matter.
    pub fn script_len(elements: &[ClaimElement]) -> usize {
        34 + elements.iter().map(element_len).sum::<usize>() + 1
    }

    /// Items of the witness when nothing is blank.
    pub fn items(elements: &[ClaimElement]) -> usize {
        let items = elements.iter().map(|element| {
            let author = element.author.as_ref();
            element.shape().items() + author.map_or(0, |_| element.author_shape().items())
        });
        1 + items.sum::<usize>()
    }

    /// Bytes of the witness, length prefixes included; `blank` tells which elements lack the
    /// author's signature.
    pub fn witness_len(elements: &[ClaimElement], blank: impl Fn(usize) -> bool) -> usize {
        let bytes = elements.iter().enumerate().map(|(n, element)| {
            let author = element.author.as_ref().filter(|_| !blank(n));
            let author = author.map_or(0, |_| winternitz::witness_len(element.author_shape()));
            winternitz::witness_len(element.shape()) + author
        });
        65 + bytes.sum::<usize>()
    }

    /// The stack that spends the leaf.
    pub fn witness(
        &self,
        signatures: &[ClaimSignature],
        schnorr: &SchnorrSignature,
    ) -> Vec<Vec<u8>> {
        let mut stack = Vec::new();
        for (signature, element) in signatures.iter().zip(&self.elements) {
            if let Some(author) = &signature.author {
                stack.extend(author.to_witness(element.author_shape()));
            }
            stack.extend(signature.claimer.to_witness(element.shape()));
        }
        stack.push(schnorr.to_vec());
        stack
    }

    /// The one-time signatures in a stack that spends the leaf; `None` if it has another form.
    pub fn parse(&self, stack: &[Vec<u8>]) -> Option<Vec<ClaimSignature>> {
        let (_, mut rest) = stack.split_last()?;
        let mut signatures = Vec::with_capacity(self.elements.len());
        for element in self.elements.iter().rev() {
            let claimer = take_last(&mut rest, element.shape())?;
            let author = if element.needs_author(&claimer.message(element.shape())) {
                Some(take_last(&mut rest, element.author_shape())?)
            } else {
                None
            };
            signatures.push(ClaimSignature { claimer, author });
        }
        signatures.reverse();
        rest.is_empty().then_some(signatures)
    }
}

fn take_last(stack: &mut &[Vec<u8>], shape: Shape) -> Option<Signature> {
    let at = stack.len().checked_sub(shape.items())?;
    let (before, items) = stack.split_at(at);
    *stack = before;
    Signature::from_witness(items, shape)
}

fn check_keys(n: usize, element: &ClaimElement) -> Result<(), ScriptError> {
    let wrong = |shape: Shape| ScriptError::KeyShape {
        element: ElementId(n as u16),
        digits: shape.digits(),
    };
    if !element.claimer.fits(element.shape()) {
        return Err(wrong(element.shape()));
    }
    match &element.author {
        Some(key) if !key.fits(element.author_shape()) => Err(wrong(element.author_shape())),
        _ => Ok(()),
    }
}

fn check_element(asm: &mut Asm, element: &ClaimElement) {
    let Some(author) = &element.author else {
        winternitz::verify(asm, &element.claimer, element.shape(), Mode::Reveal);
        return;
    };
    winternitz::verify(asm, &element.claimer, element.shape(), Mode::RevealAndKeep);
    let shape = element.author_shape();
    let tag = element.tag();
    if tag == 0 {
        winternitz::verify(asm, author, shape, Mode::RevealAndKeep);
        compare(asm, shape.message);
        return;
    }
    // The claimer's digits wait on the altstack, the tag's first digit on top.
    for n in 0..tag {
        asm.op(Code::FromAlt);
        asm.num(i64::from(n == 0));
        asm.op(Code::NumEqual);
        if n > 0 {
            asm.op(Code::BoolAnd);
        }
    }
    asm.op(Code::If);
    winternitz::verify(asm, author, shape, Mode::RevealAndKeep);
    compare(asm, shape.message);
    asm.op(Code::Else);
    asm.absent(shape.items());
    for _ in 0..shape.message {
        asm.ops(&[Code::FromAlt, Code::Drop]);
    }
    asm.op(Code::EndIf);
}

/// Compares two messages of `n` digits that lie on the altstack, both with their first digit
/// uppermost.
fn compare(asm: &mut Asm, n: usize) {
    for _ in 0..n {
        asm.op(Code::FromAlt);
    }
    for digit in 0..n {
        asm.op(Code::FromAlt);
        asm.num((n - digit) as i64);
        asm.ops(&[Code::Roll, Code::EqualVerify]);
    }
}

fn element_len(element: &ClaimElement) -> usize {
    if element.author.is_none() {
        return winternitz::verify_len(element.shape(), Mode::Reveal);
    }
    let shape = element.author_shape();
    // Two moves from the altstack, a depth, ROLL and EQUALVERIFY for each digit.
    let compare: usize = (1..=shape.message)
        .map(|depth| 4 + number_len(depth as i64))
        .sum();
    let both = winternitz::verify_len(element.shape(), Mode::RevealAndKeep)
        + winternitz::verify_len(shape, Mode::RevealAndKeep)
        + compare;
    match element.tag() {
        0 => both,
        tag => both + 3 * tag + (tag - 1) + 3 + 2 * shape.message,
    }
}
