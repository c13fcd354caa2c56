//! The table of diagnostic codes.

use super::Severity;
use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($name:ident = $id:literal, $text:literal;)*) => {
        /// What kind of problem a diagnostic is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $text] $name,)*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as it is shown: `E0123`, or `W0012` for a warning.
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// What the code is about, in one sentence.
            pub fn explain(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The file that explains the code; see [`super::explain`].
            pub(super) fn file(self) -> &'static str {
                match self {
                    $(Self::$name => include_str!(concat!("explain/", $id, ".md")),)*
                }
            }
        }
    };
}

codes! {
    // Text.
    NotUtf8 = "E0001", "The source is not UTF-8 text.";
    SourceTooLong = "E0002", "The source is longer than 1 MiB.";
    UnknownCharacter = "E0003", "A character that the language doesn't use.";
    UnterminatedString = "E0004", "A string that doesn't end on its line.";
    BadNumber = "E0005", "A number that can't be read.";
    NumberTooLarge = "E0006", "A number that needs more than 64 bits.";
    BadBytes = "E0007", "A byte string or hex string that can't be read.";
    // Syntax.
    Expected = "E0101", "Something else was expected here.";
    NestedTooDeep = "E0102", "Expressions or blocks are nested too deeply.";
    ReservedWord = "E0103", "A word of the language can't be used as a name.";
    NotYetSupported = "E0104", "A part of the language that this version doesn't compile yet.";
    UnknownItem = "E0105", "A contract or library has no such item.";
    Unclosed = "E0106", "A bracket that is never closed.";
    MissingFrom = "E0107", "An input of settle doesn't say who vouches for it.";
    // Names.
    UnknownName = "E0201", "A name that isn't declared.";
    UnknownType = "E0202", "A type that doesn't exist.";
    DeclaredTwice = "E0203", "A name is declared twice.";
    UnknownError = "E0204", "An error that isn't declared.";
    UnknownParty = "E0205", "A party that isn't declared.";
    UnknownOutcome = "E0206", "An outcome that isn't declared.";
    UnknownMethod = "E0207", "A method that the type doesn't have.";
    UsedBeforeDeclared = "E0208", "A constant or parameter is used before its declaration.";
    NotAFunction = "E0209", "Something that isn't a function is called.";
    NotAValue = "E0210", "A name that isn't a value is used as one.";
    UnknownAuthor = "E0211", "`from` names neither a party, nor an attestor, nor `anyone`.";
    UnknownField = "E0212", "A field that the type doesn't have.";
    MissingField = "E0213", "A struct or a variant is made or matched without one of its fields.";
    // Types.
    Mismatch = "E0301", "A value has another type than its place needs.";
    DoesNotFit = "E0302", "A number doesn't fit its type.";
    BadOperands = "E0303", "An operator can't work on these types.";
    WrongArguments = "E0304", "A function or a variant is given the wrong number of values.";
    BadConversion = "E0305", "There is no conversion between these types.";
    NotIndexable = "E0306", "Only arrays, bytes and hashes can be indexed.";
    NotMutable = "E0307", "A value that isn't `let mut` is changed.";
    MissingValue = "E0308", "A block ends without the value that it must have.";
    UnusedValue = "E0309", "A value is computed and not used.";
    NotExhaustive = "E0310", "A match doesn't cover every value.";
    BadPattern = "E0311", "A pattern can't match a value of this type.";
    OutsideLoop = "E0312", "`break` or `continue` outside a loop.";
    NeedsType = "E0313", "The type can't be found out; write it.";
    TypeNotAllowed = "E0314", "A type can't be used in this place.";
    BadSize = "E0315", "A length is zero, too large, or not a number known when compiling.";
    IndexTooLarge = "E0316", "A constant index is outside its array.";
    Recursion = "E0317", "Functions can't call themselves, directly or through others.";
    NotConstant = "E0318", "A value must be known when compiling.";
    BytesTooLong = "E0319", "More bytes than the hash function takes here.";
    // The contract as a whole.
    NoContract = "E0401", "The file declares no contract.";
    NoSettle = "E0402", "The contract has no settle.";
    NoCoin = "E0403", "The contract has no coin.";
    WrongReturn = "E0404", "settle must return an enum: the outcomes.";
    TooManyOutcomes = "E0405", "There are 1 to 16 outcomes.";
    PartyCount = "E0406", "A contract has 2 to 16 parties.";
    AttestorMismatch = "E0407", "An input has another type than its attestor attests.";
    AttestorTwice = "E0408", "An attestor's one-time key can vouch for one input only.";
    TooManyInputs = "E0409", "The inputs of settle have too many words.";
    // The coin.
    NotFunded = "E0501", "A party neither funds the coin nor is ever paid by it.";
    MissingArm = "E0502", "An outcome isn't paid.";
    ArmTwice = "E0503", "An outcome or party is named twice.";
    WrongSum = "E0504", "The amounts paid don't add up to what was funded.";
    BelowDust = "E0505", "An amount is below what the network relays.";
    NoRefund = "E0506", "The coin has no refund.";
    BadRefundTime = "E0507", "A refund comes after 1 to 65,535 blocks.";
    RestTwice = "E0508", "`rest` can stand once in a list.";
    BadAmount = "E0509", "An amount can't be computed.";
    // Parameters.
    MissingParam = "E0601", "A parameter has no value.";
    UnknownParam = "E0602", "A value is given for a parameter that doesn't exist.";
    BadParam = "E0603", "A parameter's value can't be read as its type.";
    ParamRefused = "E0604", "A parameter's value doesn't meet its `where`.";
    ConstAborts = "E0605", "Computing a constant aborts.";
    // Lowering.
    TooLarge = "E0701", "The program is larger than the limit.";
    TestIncomplete = "E0702", "A test doesn't give every parameter a value.";
    EmptyRange = "E0703", "A range that holds no value.";
    RangeNotInteger = "E0704", "A range over something else than integers or amounts.";
    // Ledgers.
    TwoKinds = "E0801", "A contract can't both settle a coin and keep a state.";
    NoEntry = "E0802", "A ledger has no entry.";
    NotInEntry = "E0803", "The state is changed, or an event told, outside an entry.";
    NotASigner = "E0804", "Only a `pubkey` that is an argument or a parameter can sign.";
    NotDeclared = "E0805", "An entry mints or burns an asset without saying so.";
    WholeState = "E0806", "All keys of a map are looked at where that can't be done.";
    VaultLost = "E0807", "What a vault holds would be lost.";
    VaultCopied = "E0808", "What a vault holds would be there twice.";
    MapAsValue = "E0809", "A map is used as a value.";
    NoSuchCall = "E0810", "A test calls something that isn't an entry, or with other signers.";
    // Imports.
    CannotImport = "E0901", "An imported file can't be read.";
    NotALibrary = "E0902", "Something that isn't a library is imported.";
    ImportCycle = "E0903", "Files import each other in a circle.";
    UnknownImport = "E0904", "A library doesn't declare what is imported from it.";
    BadImportPath = "E0905", "The path of an import can't be one of a library.";
    NotInLibrary = "E0906", "A library has an item that only contracts have.";
    // Warnings.
    UnusedName = "W0001", "A name is declared and never used.";
    Unreachable = "W0002", "Code that can never run.";
    OutcomeNeverReached = "W0003", "An outcome that settle never returns.";
    AssertsNothing = "W0004", "A test or property that asserts nothing.";
}

impl Code {
    /// Errors start with `E`, warnings with `W`.
    pub fn severity(self) -> Severity {
        if self.id().starts_with('W') {
            Severity::Warning
        } else {
            Severity::Error
        }
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.id())
    }
}
