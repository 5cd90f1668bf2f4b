//! The program: command line, output policy, exit codes, signals.

fn main() {}
