//! The whole server: what only the assembled binary can show. The modules' own behaviour is tested in
//! their suites.

mod assembly;
mod command_line;
mod documents;
mod journeys;
mod lifecycle;
mod migrations;
mod process;
