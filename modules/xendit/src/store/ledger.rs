//! Rows of the books.
