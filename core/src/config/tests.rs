//! The configuration, over made-up modules and made-up folders; no process environment is touched.

mod environment;
mod fakes;
mod files;
mod modules;
mod secrets;
mod sections;
