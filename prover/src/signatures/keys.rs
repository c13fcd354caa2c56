//! Keys that were seen before, with their points.
//!
//! A key is the x of a point, and finding the y takes a quarter of what checking a signature
//! does. Who signs mostly signs again.
//!
//! **Invariant:** what is remembered of an x is the point that [`Point::lift_all`] makes of it, so
//! nothing but time depends on what is remembered. The memory never grows: four keys share a
//! place, and a fifth one drives out the oldest. Places go by the x itself: who makes keys that meet
//! in one place drives out those four.

use std::sync::RwLock;

use super::field::Fe;
use super::point::Point;

/// How many keys share a place.
const TOGETHER: usize = 4;

/// Keys of one place, the newest first: the words of x and those of y. All zeros are none, for no
/// point has y = 0.
type Place = [[[u64; 4]; 2]; TOGETHER];

/// Points of keys, up to a number of them.
#[derive(Debug)]
pub struct Keys {
    /// As many as a power of two, or none.
    places: RwLock<Vec<Place>>,
}

impl Default for Keys {
    /// [`Keys::ROOM`].
    fn default() -> Self {
        Self::new(Self::ROOM)
    }
}

impl Keys {
    /// How many keys there is usually room for: two million, 128 MiB, of which no more is taken than
    /// is used.
    pub const ROOM: usize = 1 << 21;

    /// Room for about as many keys, each of which takes 64 bytes.
    pub fn new(room: usize) -> Self {
        let places = match room.div_ceil(TOGETHER) {
            0 => 0,
            places => 1 << places.ilog2(),
        };
        Self {
            places: RwLock::new(vec![[[[0; 4]; 2]; TOGETHER]; places]),
        }
    }

    /// Remembers none.
    pub fn none() -> Self {
        Self::new(0)
    }

    /// The points with these x and an even y, `None` where there is none. They are remembered.
    pub(super) fn points(&self, all: &[&[u8; 32]]) -> Vec<Option<Point>> {
        let mut points = self.find(all);
        let found = points.iter().enumerate();
        let new: Vec<usize> = found
            .filter_map(|(n, point)| point.is_none().then_some(n))
            .collect();
        let x: Vec<&[u8; 32]> = new.iter().filter_map(|n| all.get(*n).copied()).collect();
        let lifted = Point::lift_all(&x);
        self.keep(lifted.iter().flatten());
        for (n, point) in new.into_iter().zip(lifted) {
            if let Some(slot) = points.get_mut(n) {
                *slot = point;
            }
        }
        points
    }

    /// Those that are remembered.
    fn find(&self, all: &[&[u8; 32]]) -> Vec<Option<Point>> {
        let Ok(places) = self.places.read() else {
            return vec![None; all.len()];
        };
        let find = |x: &&[u8; 32]| {
            let x = Fe::from_bytes(x)?;
            let mut beside = places.get(place(&x, places.len())?)?.iter();
            let [_, y] = beside.find(|[other, y]| *other == x.words() && *y != [0; 4])?;
            Some(Point {
                x,
                y: Fe::from_words(*y),
            })
        };
        all.iter().map(find).collect()
    }

    fn keep<'a>(&self, points: impl Iterator<Item = &'a Point>) {
        let Ok(mut places) = self.places.write() else {
            return;
        };
        let count = places.len();
        for point in points {
            let at = place(&point.x, count);
            if let Some(beside) = at.and_then(|at| places.get_mut(at)) {
                beside.rotate_right(1);
                let [newest, ..] = beside;
                *newest = [point.x.words(), point.y.words()];
            }
        }
    }
}

/// Where an x belongs among a power of two of places; `None` if there are none.
fn place(x: &Fe, places: usize) -> Option<usize> {
    let [low, ..] = x.words();
    Some(low as usize & places.checked_sub(1)?)
}
