//! The API's types for the browser: `web/ui/src/api/types.ts` is written by this test and fails when stale.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::path::Path;

use ts_rs::{Config, TS, TypeVisitor};

use super::{RequestFrame, ServerFrame};

/// Collects a type and everything it is made of, by name.
struct Collect {
    config: Config,
    seen: Vec<TypeId>,
    declarations: BTreeMap<String, String>,
}

impl TypeVisitor for Collect {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if self.seen.contains(&TypeId::of::<T>()) {
            return;
        }
        self.seen.push(TypeId::of::<T>());
        if T::output_path().is_some() {
            let docs = T::docs().unwrap_or_default();
            let declaration = format!("{docs}export {}\n", T::decl(&self.config));
            self.declarations.insert(T::ident(&self.config), declaration);
        }
        T::visit_dependencies(self);
    }
}

fn generate() -> String {
    let mut all = Collect { config: Config::new(), seen: Vec::new(), declarations: BTreeMap::new() };
    all.visit::<RequestFrame>();
    all.visit::<ServerFrame>();
    let declarations: Vec<_> = all.declarations.into_values().collect();
    let head =
        "// Written by a test of livechat-node from node/src/api; run it with LIVECHAT_WRITE=1 after a change there.\n";
    format!("{head}\n{}", declarations.join("\n"))
}

#[test]
fn the_types_of_the_web_ui_are_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/ui/src/api/types.ts");
    let types = generate();
    if std::env::var_os("LIVECHAT_WRITE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &types).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == types, "web/ui/src/api/types.ts is stale: run `LIVECHAT_WRITE=1 cargo test -p livechat-node`");
}
