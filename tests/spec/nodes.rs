//! Tests of several nodes over one log: what they tell each other, in time that passes when nothing else
//! happens.

mod cluster;
mod cut_off;
mod hub;
mod links;
mod moving;
mod once;
mod presence;
mod typing;
