//! The hard questions, as functions of conditions. The answers are in [`crate::semantics`].

use super::functions::Function;

/// The functions that ask [`crate::semantics`].
pub(crate) fn all() -> Vec<Function> {
    Vec::new()
}
