//! Reveals a group of frames: their signatures are checked and the digits dropped. The
//! n-of-n signature keeps the output from being spent otherwise than by Assert.

use super::super::ScriptError;
use super::super::asm::Asm;
use super::super::code::Code;
use super::super::winternitz::{self, Mode};
use super::{SchnorrSignature, take_signatures};
use crate::commit::{PublicKey, Shape, Signature};
use crate::segment::ElementId;
use crate::units::StackDepth;
use bitcoin::{ScriptBuf, XOnlyPublicKey};

/// The leaf. Witness, bottom first: the signature of each element in order, the Schnorr signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssertReveal {
    /// The script.
    pub script: ScriptBuf,
    /// Shapes of the elements, in order.
    pub shapes: Vec<Shape>,
    /// Highest stack plus altstack, witness included.
    pub peak: StackDepth,
}

impl AssertReveal {
    /// The leaf for some elements and the n-of-n key.
    ///
    /// # Errors
    /// [`ScriptError::KeyShape`] if a key does not fit its shape.
    pub fn new(
        elements: &[(&PublicKey, Shape)],
        n_of_n: XOnlyPublicKey,
    ) -> Result<Self, ScriptError> {
        let shapes: Vec<Shape> = elements.iter().map(|(_, shape)| *shape).collect();
        let mut asm = Asm::new(Self::items(&shapes), 0);
        asm.data(&n_of_n.serialize());
        asm.op(Code::CheckSigVerify);
        for (n, (key, shape)) in elements.iter().enumerate().rev() {
            if !key.fits(*shape) {
                return Err(ScriptError::KeyShape {
                    element: ElementId(n as u16),
                    digits: shape.digits(),
                });
            }
            winternitz::verify(&mut asm, key, *shape, Mode::Reveal);
        }
        asm.num(1);
        let (script, peak) = asm.finish()?;
        Ok(Self {
            script: ScriptBuf::from_bytes(script),
            shapes,
            peak,
        })
    }

    /// Length of the script for elements of these shapes.
    pub fn script_len(shapes: &[Shape]) -> usize {
        let checks = shapes
            .iter()
            .map(|shape| winternitz::verify_len(*shape, Mode::Reveal));
        34 + checks.sum::<usize>() + 1
    }

    /// Items of the witness.
    pub fn items(shapes: &[Shape]) -> usize {
        1 + shapes.iter().map(|shape| shape.items()).sum::<usize>()
    }

    /// Bytes of the witness, length prefixes included.
    pub fn witness_len(shapes: &[Shape]) -> usize {
        65 + shapes
            .iter()
            .map(|s| winternitz::witness_len(*s))
            .sum::<usize>()
    }

    /// The stack that spends the leaf.
    pub fn witness(&self, signatures: &[Signature], schnorr: &SchnorrSignature) -> Vec<Vec<u8>> {
        let mut stack: Vec<Vec<u8>> = signatures
            .iter()
            .zip(&self.shapes)
            .flat_map(|(signature, shape)| signature.to_witness(*shape))
            .collect();
        stack.push(schnorr.to_vec());
        stack
    }

    /// The one-time signatures in a stack that spends the leaf; `None` if it has another form.
    pub fn parse(&self, stack: &[Vec<u8>]) -> Option<Vec<Signature>> {
        let (signatures, rest) = take_signatures(stack, &self.shapes)?;
        (rest.len() == 1).then_some(signatures)
    }
}
