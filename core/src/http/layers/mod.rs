//! The layers, one small file each. Their order is drawn in `stack.rs`, and only there.

pub mod around;
pub mod body_limit;
pub mod catch_panic;
pub mod compression;
pub mod cors;
pub mod deadline;
pub mod failure;
pub mod guard;
pub mod head;
pub mod pages;
pub mod render;
pub mod request_id;
pub mod shed;
pub mod span;
pub mod trace;
