//! `make bench`'s simulated rows, printed as JSON: bench/simulated.py reads it.

#![allow(clippy::print_stdout, reason = "it is a command")]

fn main() {
    println!("{}", ec2_start_stop::testkit::simulation::figures());
}
