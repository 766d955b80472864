//! Look-alikes: names that are told apart by their characters, but not by the eye (UTS #39).

use icu_casemap::{CaseMapper, CaseMapperBorrowed};
use sha2::{Digest, Sha256};
use unicode_security::skeleton;

const CASE: CaseMapperBorrowed<'static> = CaseMapper::new();

/// The hash of a UTS #39 skeleton, the form in which all look-alikes of a text are equal. Those of
/// shown forms and those of compared forms are not equal, but by a chance of 1 in 2^64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Skeleton(u64);

impl Skeleton {
    fn of_shown(name: &str) -> Self {
        let skeleton: String = skeleton(name).collect();
        Self::hashed("shown", &skeleton)
    }

    /// Case counts no more in it: `0` has the skeleton of a capital letter.
    fn of_compared(name: &str) -> Self {
        let skeleton: String = skeleton(name).collect();
        Self::hashed("compared", &CASE.fold_string(&skeleton))
    }

    fn hashed(form: &str, skeleton: &str) -> Self {
        let hash = Sha256::digest(format!("{form} {skeleton}"));
        let (first, _) = hash.split_first_chunk().expect("a hash of 32 bytes");
        Self(u64::from_le_bytes(*first))
    }
}

/// The skeletons of a display name: of its shown form and of its compared one, which has small
/// letters. Two names look alike if they share one: `Iris` and `lris` do by the shown forms, `Max` and
/// `rnax` by the compared ones, and `Ian` and `Lan` do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skeletons {
    shown: Skeleton,
    compared: Skeleton,
}

impl Skeletons {
    pub(super) fn of(shown: &str, compared: &str) -> Self {
        Self { shown: Skeleton::of_shown(shown), compared: Skeleton::of_compared(compared) }
    }

    /// The two skeletons, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = Skeleton> + use<> {
        [self.shown.min(self.compared), self.shown.max(self.compared)].into_iter()
    }

    /// Tells whether it is one of them.
    #[must_use]
    pub fn contains(&self, skeleton: Skeleton) -> bool {
        self.shown == skeleton || self.compared == skeleton
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::names::DisplayName;

    fn look_alike(a: &str, b: &str) -> bool {
        let [a, b] = [a, b].map(|name| name.parse::<DisplayName>().expect("a name").skeletons());
        a.iter().any(|skeleton| b.contains(skeleton))
    }

    #[test]
    fn look_alikes_share_a_skeleton() {
        for (held, other) in [
            ("Ada", "Аda"), // Cyrillic
            ("Ada", "Αda"), // Greek
            ("Ada", "Ꭺԁа"),
            ("Iris", "lris"),
            ("Iris", "Ιris"), // Greek
            ("Iris", "1ris"),
            ("BOBO", "B0B0"),
            ("bobo", "b0b0"),
            ("BOBO", "ВОВО"), // Cyrillic
            ("Bill", "BiII"),
            ("max", "rnax"),
            ("Max", "Rnax"),
            ("Max", "Мах"), // Cyrillic
            ("paul", "раul"),
            ("Nora", "Nоrа"),
            ("Nora", "Ν໐ra"),
            ("Tom O'Neil", "Tom O’Neil"),
            ("Ada-L", "Ada‐L"),
            ("Ada-L", "Ada−L"),
            ("Zoe", "Ζое"),
            ("José", "Jose\u{301}"),
            ("José", "Jоsé"),
            ("カイ", "力イ"), // a Han character, as the next ones
            ("ロロ", "口口"),
            ("工藤", "エ藤"),
            ("Ян", "Яʜ"),
            ("Саша", "Caшa"),
            ("علی", "على"),
            ("𝔸da", "Ada"),
        ] {
            assert!(look_alike(held, other), "{held} and {other}");
        }
    }

    #[test]
    fn names_that_only_resemble_each_other_share_none() {
        for (held, other) in [
            ("Ada", "Ana"),
            ("Ian", "Lan"),
            ("Iara", "Lara"),
            ("Ada", "Áda"),
            ("Ada", "Ada L."),
            ("Guest 1", "Guest 2"),
            ("Guest 10", "Guest 100"),
            ("Tom", "Tim"),
            ("Nora", "Nöra"),
            ("李雷", "李蕾"),
            ("かな", "カナ"),
            ("דנה", "דינה"),
            ("سلمى", "سليم"),
            ("Аня", "Яна"),
            ("Νίκος", "Νίκη"),
            ("한나", "하나"),
            ("สม", "สน"),
        ] {
            assert!(!look_alike(held, other), "{held} and {other}");
        }
    }
}
