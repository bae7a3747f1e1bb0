//! The models that are built into the program.
