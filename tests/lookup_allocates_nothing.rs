//! Finding the operation of a request allocates nothing; only an escaped segment costs a decoding.

use databricks_oam_filter::databricks::{Catalogue, Lookup};
use databricks_oam_filter::path::Path;

#[test]
fn a_lookup_allocates_nothing() {
    let catalogue = Catalogue::shared();
    for operation in catalogue.operations() {
        let segments = operation
            .template
            .split('/')
            .map(|segment| match segment.split_once('}') {
                Some((_, suffix)) => format!("zz{suffix}"),
                None => segment.to_owned(),
            });
        let request = segments.collect::<Vec<_>>().join("/");
        let mut found = Lookup::Unknown;
        let allocations = allocation_counter::measure(|| {
            if let Ok(path) = Path::parse(request.as_bytes()) {
                found = catalogue.find(operation.method, &path);
            }
        });
        assert_eq!(found, Lookup::Found(operation), "{request}");
        assert_eq!(allocations.count_total, 0, "{request}");
    }
}
