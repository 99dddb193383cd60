//! Rebuilds when a migration is added: `embed_migrations!` reads the directory, which cargo can't see.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
