//! Names, values and sets of them, each within what etcd and an environment can hold.
//!
//! In: bytes. Out: types that are known to fit, or an error that says which limit does not hold. Shows
//! no value, whatever is formatted. Knows nothing of formats.

use std::collections::BTreeMap;
use std::fmt;

use crate::visible::line;

/// A variable's name: `[A-Za-z_][A-Za-z0-9_]*`, of at most [`NAME_LENGTH_MAXIMUM`] bytes.
pub use crate::name::VariableName as Name;

/// The greatest length of a name in bytes.
pub const NAME_LENGTH_MAXIMUM: usize = 255;

/// The greatest length of a value in bytes. etcd refuses requests of more than 1.5 MiB unless it is told
/// otherwise (`--max-request-bytes`), and a value comes with its key.
pub const VALUE_LENGTH_MAXIMUM: usize = 1024 * 1024;

/// The greatest length in bytes of all names and values of an app: 1.4 MiB. They are stored in one
/// transaction, which is one request; what remains of etcd's 1.5 MiB is for the folder in each key and
/// for the transaction's conditions.
pub const TOTAL_LENGTH_MAXIMUM: usize = 14 * 1024 * 1024 / 10;

/// What is shown instead of a value.
const HIDDEN: &str = "***";

/// A variable's value: any bytes but NUL, which ends a string in every environment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(Vec<u8>);

/// Why bytes are no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueError {
    /// There is a NUL byte.
    Nul,
    /// There are more bytes than [`VALUE_LENGTH_MAXIMUM`].
    Long,
}

impl fmt::Display for ValueError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Nul => "a value can't have a NUL byte, which no environment can hold",
            Self::Long => "a value has at most 1 MiB",
        })
    }
}

impl std::error::Error for ValueError {}

impl Value {
    /// Checks bytes.
    ///
    /// # Errors
    /// Says which limit they break.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, ValueError> {
        let bytes = bytes.into();
        if bytes.len() > VALUE_LENGTH_MAXIMUM {
            return Err(ValueError::Long);
        }
        if bytes.contains(&0) {
            return Err(ValueError::Nul);
        }
        Ok(Self(bytes))
    }

    /// Returns the bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the text, where the bytes are UTF-8.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(HIDDEN)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(HIDDEN)
    }
}

/// The greatest number of characters that are shown of what is no name.
const STRAY_MAXIMUM: usize = 60;

/// Returns what is no name so that it can be shown in a line; what stands behind a `=` may be a value.
#[must_use]
pub fn stray(text: &str) -> String {
    let (name, rest) = text
        .split_once('=')
        .map_or((text, ""), |(name, _)| (name, "=…"));
    let mut shown: String = line(name).chars().take(STRAY_MAXIMUM).collect();
    if name.chars().count() > STRAY_MAXIMUM {
        shown.push('…');
    }
    shown + rest
}

/// All names and values together are longer than [`TOTAL_LENGTH_MAXIMUM`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TotalError {
    /// How long they are, in bytes.
    pub length: usize,
}

impl fmt::Display for TotalError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.length;
        write!(
            formatter,
            "all names and values together have {length} bytes, and at most {TOTAL_LENGTH_MAXIMUM} \
             can be stored at once"
        )
    }
}

impl std::error::Error for TotalError {}

/// Variables in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<Name, Value>);

impl Variables {
    /// Sets a variable, and returns the value that it had.
    pub fn insert(&mut self, name: Name, value: Value) -> Option<Value> {
        self.0.insert(name, value)
    }

    /// Removes a variable, and returns the value that it had.
    pub fn remove(&mut self, name: &Name) -> Option<Value> {
        self.0.remove(name)
    }

    /// Returns a variable's value.
    #[must_use]
    pub fn get(&self, name: &Name) -> Option<&Value> {
        self.0.get(name)
    }

    /// Returns all names and values.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Name, &Value)> {
        self.0.iter()
    }

    /// Counts the variables.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns how long all names and values are together, in bytes.
    #[must_use]
    pub fn length(&self) -> usize {
        self.iter()
            .map(|(name, value)| name.as_str().len() + value.as_bytes().len())
            .sum()
    }

    /// Tells whether they can be stored at once.
    ///
    /// # Errors
    /// Says that they are too long together.
    pub fn check_length(&self) -> Result<(), TotalError> {
        let length = self.length();
        if length > TOTAL_LENGTH_MAXIMUM {
            return Err(TotalError { length });
        }
        Ok(())
    }
}

impl FromIterator<(Name, Value)> for Variables {
    fn from_iter<I: IntoIterator<Item = (Name, Value)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    #[test]
    fn names_have_the_length_that_is_stated() {
        assert!(Name::new("A".repeat(NAME_LENGTH_MAXIMUM)).is_ok());
        assert!(Name::new("A".repeat(NAME_LENGTH_MAXIMUM + 1)).is_err());
        for wrong in ["", "1A", "A-B", "A.B", "Ä", "A B", "A\n"] {
            assert!(Name::new(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn values_are_any_bytes_but_nul_up_to_their_limit() {
        assert!(Value::new("").is_ok());
        assert!(Value::new([0xff, b'\n', 1]).is_ok());
        assert!(Value::new(vec![b'a'; VALUE_LENGTH_MAXIMUM]).is_ok());
        assert_eq!(Value::new("a\0b"), Err(ValueError::Nul));
        let long = vec![b'a'; VALUE_LENGTH_MAXIMUM + 1];
        assert_eq!(Value::new(long), Err(ValueError::Long));
    }

    #[test]
    fn no_value_is_ever_shown() {
        let value = Value::new("hunter2").unwrap();
        assert_eq!(format!("{value} {value:?}"), "*** ***");
        let variables: Variables = [(name("A"), value)].into_iter().collect();
        assert!(!format!("{variables:#?} {variables:?}").contains("hunter2"));
    }

    #[test]
    fn all_together_have_a_limit_too() {
        let half = Value::new(vec![b'a'; TOTAL_LENGTH_MAXIMUM / 2 - 1]).unwrap();
        let mut variables = Variables::default();
        variables.insert(name("A"), half.clone());
        variables.insert(name("B"), half.clone());
        assert_eq!(variables.check_length(), Ok(()));
        variables.insert(name("C"), Value::new("").unwrap());
        let length = variables.length();
        assert_eq!(variables.check_length(), Err(TotalError { length }));
        assert_eq!(variables.remove(&name("C")), Some(Value::new("").unwrap()));
        assert_eq!(variables.get(&name("B")), Some(&half));
        assert_eq!(variables.len(), 2);
        assert!(!variables.is_empty());
    }
}
