//! Small contracts with small windows, to be explored whole.

use super::setting::Setting;
use crate::built::Built;
use crate::game::PlayError;
use crate::stage::Stage;
use gavel_compiler::units::Blocks;
use gavel_verifier::deploy::Windows;

/// The least windows that keep the promise for delays of `w` blocks and reorganisations of `m`.
pub fn least_windows(w: u32, m: u32) -> Windows {
    let window = w + m + 1;
    let disprove = (3 * w + m + 1).saturating_sub(window).max(1);
    Windows {
        challenge: Blocks(window),
        assert: Blocks(window),
        disprove: Blocks(disprove),
        confirm: Blocks(w),
        reorg: Blocks(m),
    }
}

/// A contract of two outcomes, whose windows are as small as they may be.
#[derive(Clone, Copy, Debug)]
pub struct Toy {
    /// Parties.
    pub n: u8,
    /// How many of them are honest: the first ones.
    pub honest: u8,
    /// Whether the program needs more than one leaf.
    pub rounds: bool,
    /// Blocks by which a transaction can be delayed.
    pub w: u32,
    /// Blocks that can be disconnected.
    pub m: u32,
    /// Who vouches for the input.
    pub author: u8,
    /// Whether inputs and frames are revealed in several groups.
    pub groups: bool,
    /// Whether R is so late that a bond is released before, or as early as it may be.
    pub late_refund: bool,
}

impl Toy {
    /// Two parties, one of them honest, who vouches; one leaf, no delays.
    pub const TWO: Self = Self {
        n: 2,
        honest: 1,
        rounds: false,
        w: 1,
        m: 0,
        author: 0,
        groups: false,
        late_refund: false,
    };

    /// The same with a program of two leaves.
    pub const LONG: Self = Self {
        rounds: true,
        ..Self::TWO
    };

    /// The contract.
    ///
    /// # Errors
    /// [`PlayError`] if it can't be cut.
    pub fn stage(&self) -> Result<Stage, PlayError> {
        let windows = least_windows(self.w, self.m);
        let late = match self.rounds {
            true => windows.challenge.0 + windows.assert.0 + windows.disprove.0,
            false => windows.challenge.0,
        };
        let least = late + 4 * self.w + self.m + 1;
        let refund = match self.late_refund {
            true => least + 2 * late,
            false => least,
        };
        let built = Built {
            n: self.n,
            outcomes: 2,
            rounds: if self.rounds { 20 } else { 1 },
            weight: if self.rounds { 8_000 } else { 400_000 },
            free: false,
            vouched: if self.groups { 2 } else { 1 },
            author: self.author,
            group_words: if self.groups { 1 } else { usize::MAX },
            refund_after: Blocks(refund),
        };
        let stage = built.try_stage();
        let mut stage = stage.map_err(|e| PlayError::Stage(format!("{self:?}: {e}")))?;
        stage.terms.windows = windows;
        Ok(stage)
    }

    /// The setting, in which all honest parties mean to claim.
    ///
    /// # Errors
    /// [`PlayError`] if it can't be deployed.
    pub fn setting(&self) -> Result<Setting, PlayError> {
        let honest: Vec<bool> = (0..self.n).map(|p| p < self.honest).collect();
        Setting::new(self.stage()?, &honest)
    }
}
