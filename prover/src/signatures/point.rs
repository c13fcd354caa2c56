//! Points of secp256k1, y² = x³ + 7.

use super::field::Fe;

/// A point by its coordinates, or nothing, the sum of no points: then y is the mark, which no
/// point has, for there is none with y = 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub x: Fe,
    pub y: Fe,
}

impl Point {
    pub const NOTHING: Self = Self {
        x: Fe::ZERO,
        y: Fe::ZERO,
    };

    #[inline(always)]
    pub fn is_nothing(&self) -> bool {
        self.y.is_mark()
    }

    pub fn negate(&self) -> Self {
        match self.is_nothing() {
            true => Self::NOTHING,
            false => Self {
                x: self.x,
                y: self.y.negate(),
            },
        }
    }

    /// BIP340's `lift_x` for each: the point with this x, big end first, and an even y; `None` where
    /// there is none.
    pub fn lift_all(all: &[&[u8; 32]]) -> Vec<Option<Self>> {
        let (pairs, last) = all.as_chunks::<2>();
        let pairs = pairs.iter().flat_map(|pair| Self::lift_bytes(*pair));
        let last = last.iter().flat_map(|x| Self::lift_bytes([*x]));
        pairs.chain(last).collect()
    }

    fn lift_bytes<const N: usize>(x: [&[u8; 32]; N]) -> [Option<Self>; N] {
        let x = x.map(Fe::from_bytes);
        let mut points = Self::lift(x.map(|x| x.unwrap_or(Fe::ZERO)));
        for (point, x) in points.iter_mut().zip(x) {
            *point = point.filter(|_| x.is_some());
        }
        points
    }

    /// BIP340's `lift_x` for each: the point with this x and an even y.
    pub fn lift<const N: usize>(x: [Fe; N]) -> [Option<Self>; N] {
        let right = x.map(|x| x.square().mul(&x).add(&Fe::SEVEN));
        let mut pairs = Fe::roots(right).into_iter().zip(x);
        std::array::from_fn(|_| {
            let (root, x) = pairs.next()?;
            let root = root?;
            let y = if root.is_odd() { root.negate() } else { root };
            Some(Self { x, y })
        })
    }
}

/// A point in Jacobian coordinates, (X/Z², Y/Z³): adding takes no division. Z = 0 is nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jacobian {
    x: Fe,
    y: Fe,
    z: Fe,
}

impl Jacobian {
    pub const NOTHING: Self = Self {
        x: Fe::ONE,
        y: Fe::ONE,
        z: Fe::ZERO,
    };

    pub fn is_nothing(&self) -> bool {
        self.z.is_zero()
    }

    /// `dbl-2009-l` of the Explicit-Formulas Database. Nothing stays nothing, for its Z is 0.
    pub fn double(&self) -> Self {
        let a = self.x.square();
        let b = self.y.square();
        let c = b.square();
        let d = self.x.mul(&b).double().double();
        let e = a.double().add(&a);
        let x = e.square().sub(&d.double());
        let y = e.mul(&d.sub(&x)).sub(&c.double().double().double());
        let z = self.y.mul(&self.z).double();
        Self { x, y, z }
    }

    /// `add-2007-bl` of the Explicit-Formulas Database, without its trick for 2 Z₁ Z₂.
    pub fn add(&self, other: &Self) -> Self {
        if self.is_nothing() {
            return *other;
        }
        if other.is_nothing() {
            return *self;
        }
        let (z1, z2) = (self.z.square(), other.z.square());
        let u1 = self.x.mul(&z2);
        let s1 = self.y.mul(&other.z).mul(&z2);
        let h = other.x.mul(&z1).sub(&u1);
        let r = other.y.mul(&self.z).mul(&z1).sub(&s1);
        self.sum(u1, s1, h, r, self.z.mul(&other.z))
    }

    /// The same, where the other has Z = 1.
    pub fn add_point(&self, other: &Point) -> Self {
        if other.is_nothing() {
            return *self;
        }
        if self.is_nothing() {
            return Self {
                x: other.x,
                y: other.y,
                z: Fe::ONE,
            };
        }
        let z1 = self.z.square();
        let h = other.x.mul(&z1).sub(&self.x);
        let r = other.y.mul(&self.z).mul(&z1).sub(&self.y);
        self.sum(self.x, self.y, h, r, self.z)
    }

    /// The sum of two points that were brought to the same denominators: the first is (u, s), the
    /// second (u + h, s + r).
    #[inline(always)]
    fn sum(&self, u: Fe, s: Fe, h: Fe, r: Fe, z: Fe) -> Self {
        if h.is_zero() {
            return if r.is_zero() {
                self.double()
            } else {
                Self::NOTHING
            };
        }
        let hh = h.square();
        let hhh = hh.mul(&h);
        let v = u.mul(&hh);
        let x = r.square().sub(&hhh).sub(&v.double());
        let y = r.mul(&v.sub(&x)).sub(&s.mul(&hhh));
        Self { x, y, z: z.mul(&h) }
    }
}
