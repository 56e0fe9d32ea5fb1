//! What the hold costs while it waits.

fn main() {}
