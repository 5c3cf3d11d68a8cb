//! What is shown of results: a table for the terminal and for Markdown, and a page of charts.

pub(crate) mod criterion;
pub(crate) mod html;
pub(crate) mod markdown;
mod svg;
pub(crate) mod table;
mod warnings;
