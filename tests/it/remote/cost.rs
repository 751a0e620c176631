//! The requests and bytes that rows of a full-size checkpoint cost.

use std::fs;

use crate::loopback_hub::Access;
use crate::remote::{Remote, TEXT, locally, split_cost};
use crate::support::standin::{CONTAINERS, standin};

/// The most requests and bytes that `embed` of the lesson's text may cost with cold caches.
const ALLOWED: [(&str, usize, usize); 4] = [
    ("torch-zip", 16, 200_000),
    ("safetensors", 14, 120_000),
    ("torch-legacy", 24, 300_000),
    ("gguf", 14, 120_000),
];

#[test]
fn rows_of_a_large_checkpoint_cost_little() {
    let Some(standin) = standin("rows_of_a_large_checkpoint_cost_little") else {
        return;
    };
    for (container, requests, bytes) in ALLOWED {
        let folder = standin.folder(container);
        let (_, file) = CONTAINERS
            .into_iter()
            .find(|(name, _)| *name == container)
            .unwrap();
        let remote = Remote::new();
        remote.publish("o/n", Access::Public, &folder);
        let args = ["embed", TEXT, "--json"];
        let (rows, cost) = split_cost(&remote.call("o/n", &args).ok());
        assert_eq!(rows, split_cost(&locally(&folder, &args)).0, "{container}");
        let served = remote.served(file);
        let fetched: usize = served.iter().map(|one| one.bytes).sum();
        assert!(
            served.len() <= requests && fetched <= bytes,
            "{container}: {served:?}"
        );
        assert_eq!(cost, Some((fetched as u64, served.len() as u64)));
        let offline = [&["--offline"], &args[..]].concat();
        assert_eq!(remote.call("o/n", &offline).ok(), rows);
        assert_eq!(remote.hub.served(), []);

        fs::remove_dir_all(remote.home.path().join("own")).unwrap();
        remote.call("o/n", &["embed", "--id", "4797"]).ok();
        assert!(remote.served(file).len() <= 6);
        fs::remove_dir_all(remote.home.path().join("own")).unwrap();
        remote.call("o/n", &["info"]).ok();
        let served = remote.served(file);
        let fetched: usize = served.iter().map(|one| one.bytes).sum();
        assert!(served.len() <= 5 && fetched < 140_000, "{served:?}");
    }
}
