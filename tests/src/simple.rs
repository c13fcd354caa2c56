//! A game in a few lines: open a contract, say who claims what and who cheats, play to the end.

use crate::game::{Game, Line, PlayError, Report, Seat};
use crate::sheet::Due;
use crate::stage::Stage;
use crate::table::Table;
use gavel_compiler::word::{End, run};
use gavel_verifier::game::Party;
use std::collections::BTreeMap;
use std::path::Path;

type Seater = Box<dyn FnOnce(Party) -> Seat>;

/// A game to be played, on a node of its own. Everybody is honest until [`Self::seat`] says
/// otherwise.
pub struct Play {
    /// The contract, with its terms and examples.
    pub stage: Stage,
    claims: Vec<(u8, u8, Vec<u32>)>,
    seats: BTreeMap<u8, Seater>,
}

impl Play {
    /// Opens `NAME.gvl`, with its parameters and example inputs beside it.
    ///
    /// # Errors
    /// [`PlayError::Load`] says which file, and what is wrong.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, PlayError> {
        Ok(Self::on(Stage::load(path)?))
    }

    /// The same with a stage that is there.
    pub fn on(stage: Stage) -> Self {
        Self {
            stage,
            claims: vec![],
            seats: BTreeMap::new(),
        }
    }

    /// `party` will claim `outcome`, true or not, from the inputs of the example `case`;
    /// whoever vouches for one signs it.
    ///
    /// # Errors
    /// [`PlayError::Stage`] if there is no such party, outcome or case.
    pub fn claim(&mut self, party: &str, outcome: &str, case: &str) -> Result<(), PlayError> {
        let party = self.party(party)?;
        let outcomes = &self.stage.contract.program.outcomes;
        let k = index("outcome", outcome, outcomes.iter().map(String::as_str))?;
        let cases = &self.stage.cases;
        let at = index("case", case, cases.iter().map(|case| case.name.as_str()))?;
        let words = cases.get(usize::from(at)).map(|case| case.words.clone());
        self.claims.push((party, k, words.unwrap_or_default()));
        Ok(())
    }

    /// Puts somebody else in the place of `party`: usually a [`Rogue`](crate::Rogue) made of it.
    ///
    /// # Errors
    /// [`PlayError::Stage`] if there is no such party.
    pub fn seat<S: Into<Seat>>(
        &mut self,
        party: &str,
        seat: impl FnOnce(Party) -> S + 'static,
    ) -> Result<(), PlayError> {
        let party = self.party(party)?;
        self.seats
            .insert(party, Box::new(|party| seat(party).into()));
        Ok(())
    }

    /// Starts a node, funds the parties, plays until nobody has anything left to do, and gives
    /// the report: sizes, balances and honest parties' money are already checked.
    ///
    /// # Errors
    /// [`PlayError`] if the game can't be played, or didn't end as every game must.
    pub fn to_end(self) -> Result<Report, PlayError> {
        self.watched(&mut |_| ())
    }

    /// As [`Self::to_end`]; `watch` is told of each event as it happens.
    ///
    /// # Errors
    /// As [`Self::to_end`].
    pub fn watched(self, watch: &mut dyn FnMut(&Line)) -> Result<Report, PlayError> {
        let Self {
            stage,
            claims,
            mut seats,
        } = self;
        // The first claim that is true, if any, is what must be paid.
        let program = &stage.contract.program;
        let truth = claims
            .iter()
            .find(|(_, k, words)| run(program, words).end == End::Outcome(u32::from(*k)));
        let due = truth.map_or(Due::Refund, |(_, k, _)| Due::Outcome(*k));
        let table = Table::seat(&stage)?;
        let mut proven = Vec::new();
        for (party, k, words) in claims {
            proven.push((party, k, table.vouch(&words)?));
        }
        let mut game = Game::begin(table, &proven, |me, party| match seats.remove(&me) {
            Some(seat) => seat(party),
            None => party.into(),
        })?;
        game.play(watch)?;
        game.report(&stage, "custom", due)
    }

    fn party(&self, name: &str) -> Result<u8, PlayError> {
        let parties = &self.stage.contract.parties;
        index("party", name, parties.iter().map(String::as_str))
    }
}

fn index<'a>(
    what: &str,
    name: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Result<u8, PlayError> {
    let found = names.clone().position(|known| known == name);
    let found = found.and_then(|at| u8::try_from(at).ok());
    found.ok_or_else(|| {
        let names = names.collect::<Vec<_>>().join(", ");
        PlayError::Stage(format!("there is no {what} `{name}`; there are: {names}"))
    })
}
