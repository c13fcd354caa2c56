//! Tables: functions of small numbers, as cells that a `PICK` fetches.
//!
//! What a table gives is a digit in some [`Form`]: the consumer's form, so that nothing has
//! to be converted. What it takes is a digit in some form, or a sum of digits.

/// How a digit is stored: a number for each of its sixteen values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Form(pub [i16; 16]);

/// Distance between the rows of a table of two digits: sixteen columns, and room for tables
/// that are looked into with an index of the same scale.
pub const STRIDE: i16 = 18;

impl Form {
    /// As it is.
    pub const PLAIN: Self = Self::times(1);
    /// The row of a table of two digits.
    pub const ROW: Self = Self::times(STRIDE);
    /// Its bits as digits in base 3: two such numbers add up without carries.
    pub const SPREAD: Self = Self::spread(3);

    const fn times(scale: i16) -> Self {
        let mut form = [0; 16];
        let mut n = 0;
        while n < 16 {
            form[n] = n as i16 * scale;
            n += 1;
        }
        Self(form)
    }

    const fn spread(base: i16) -> Self {
        let mut form = [0; 16];
        let mut n = 0;
        while n < 16 {
            let mut bit = 0;
            let mut place = 1;
            while bit < 4 {
                form[n] += ((n >> bit) & 1) as i16 * place;
                place *= base;
                bit += 1;
            }
            n += 1;
        }
        Self(form)
    }

    /// A digit in this form.
    pub fn of(self, digit: i64) -> i64 {
        i64::from(self.0[(digit & 15) as usize])
    }

    /// The digit that a number stands for, if it does.
    pub fn digit(self, number: i64) -> Option<i64> {
        let at = self.0.iter().position(|n| i64::from(*n) == number);
        at.map(|digit| digit as i64)
    }

    /// One more than the largest number of this form.
    pub fn span(self) -> i64 {
        self.of(15) + 1
    }

    /// A function of digits, then this form.
    pub fn after(self, function: impl Fn(u8) -> u8) -> Self {
        Self(std::array::from_fn(|n| {
            self.0[usize::from(function(n as u8) & 15)]
        }))
    }
}

/// A bitwise function of two digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bitwise {
    /// And.
    And,
    /// Or.
    Or,
    /// Exclusive or.
    Xor,
}

impl Bitwise {
    /// Its value.
    pub fn of(self, a: i64, b: i64) -> i64 {
        match self {
            Self::And => a & b,
            Self::Or => a | b,
            Self::Xor => a ^ b,
        }
    }
}

/// A bitwise function of a sum of two spread digits: of how many of them have a bit set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Count {
    /// An odd number: exclusive or.
    Odd,
    /// At least one: or.
    Any,
    /// Both: and.
    Both,
}

/// A table at the bottom of the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// A function of one digit.
    Digit {
        /// The digit's form.
        form: Form,
        /// What is given for each digit.
        out: Form,
    },
    /// A function of the sum of a digit as [`Form::ROW`] and a plain one.
    Pair {
        /// Which.
        op: Bitwise,
        /// The result's form.
        out: Form,
    },
    /// A function of a sum of two spread digits.
    Spread {
        /// Which.
        of: Count,
        /// The result's form.
        out: Form,
    },
    /// A digit moved by some bits, and those that come in at its end: looked up by the digit
    /// plus these bits, times the form's [span](Form::span).
    Window {
        /// The digit's form.
        form: Form,
        /// How many bits come in.
        bits: u8,
        /// Whether they come from above: the digit moves down.
        above: bool,
        /// The result's form.
        out: Form,
    },
    /// A sum's low digit.
    Low {
        /// What a sum's unit counts for.
        scale: i64,
        /// The result's form.
        out: Form,
    },
    /// What is carried, looked up by the sum less its low digit in the form that
    /// [`Table::Low`] gives. (These differences tell every carry from every other, for all
    /// forms above.)
    Carry {
        /// What the sum's unit counts for, and the carry's.
        scale: i64,
        /// The low digit's form.
        out: Form,
    },
}

impl Table {
    /// The cells, by index, that are looked up with an index (of a carry: a sum) between
    /// `low` and `high`.
    pub fn cells(&self, low: i64, high: i64) -> Vec<(i64, i64)> {
        let within = |index: &(i64, i64)| (low..=high).contains(&index.0);
        match self {
            Self::Digit { form, out } => {
                let mut cells: Vec<_> = (0..16).map(|n| (form.of(n), out.of(n))).collect();
                cells.sort_unstable();
                cells.dedup();
                cells.into_iter().filter(within).collect()
            }
            Self::Pair { op, out } => (0..256)
                .map(|n| (n / 16, n % 16))
                .map(|(a, b)| (Form::ROW.of(a) + b, out.of(op.of(a, b))))
                .filter(within)
                .collect(),
            Self::Spread { of, out } => (low.max(0)..=high.min(2 * Form::SPREAD.of(15)))
                .map(|sum| (sum, out.of(of.digit(sum))))
                .collect(),
            Self::Window {
                form,
                bits,
                above,
                out,
            } => (0..16 << bits)
                .map(|n: i64| {
                    let (digit, more) = (n % 16, n / 16);
                    let moved = match above {
                        true => (digit >> bits) | (more << (4 - bits)),
                        false => (digit << bits) | more,
                    };
                    (form.of(digit) + form.span() * more, out.of(moved))
                })
                .filter(within)
                .collect(),
            Self::Low { scale, out } => sums(low, high, *scale)
                .map(|n| (n * scale, out.of(n)))
                .collect(),
            Self::Carry { scale, out } => {
                let cell = |n: i64| (n * scale - out.of(n), n / 16 * scale);
                let mut cells: Vec<_> = sums(low, high, *scale).map(cell).collect();
                cells.sort_unstable();
                cells.dedup();
                cells
            }
        }
    }

    /// Whether it has rows, with room for other tables between them.
    pub fn rows(&self) -> bool {
        matches!(self, Self::Pair { .. })
    }

    /// The same with another form of the digit that it gives.
    pub fn with_out(self, form: Form) -> Self {
        match self {
            Self::Digit { form: of, .. } => Self::Digit {
                form: of,
                out: form,
            },
            Self::Pair { op, .. } => Self::Pair { op, out: form },
            Self::Spread { of, .. } => Self::Spread { of, out: form },
            Self::Window {
                form: of,
                bits,
                above,
                ..
            } => Self::Window {
                form: of,
                bits,
                above,
                out: form,
            },
            Self::Low { scale, .. } => Self::Low { scale, out: form },
            Self::Carry { scale, .. } => Self::Carry { scale, out: form },
        }
    }
}

impl Count {
    /// The digit whose bits are this function of a spread sum's digits.
    fn digit(self, sum: i64) -> i64 {
        (0..4)
            .map(|bit| {
                let count = sum / 3i64.pow(bit) % 3;
                let set = match self {
                    Self::Odd => count % 2 == 1,
                    Self::Any => count >= 1,
                    Self::Both => count == 2,
                };
                i64::from(set) << bit
            })
            .sum()
    }
}

/// The sums of a scale whose index lies between two others.
fn sums(low: i64, high: i64, scale: i64) -> std::ops::RangeInclusive<i64> {
    low.max(0).div_euclid(scale)..=high.div_euclid(scale)
}
