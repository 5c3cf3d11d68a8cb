//! The control center through its real listener.

mod accounts;
mod admins;
mod audit;
mod config;
mod dashboard;
mod guards;
mod pages;
mod server;
mod sessions;
mod sweeps;
