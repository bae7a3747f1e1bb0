//! The models that are built into the program, each read when it is first asked for and kept.
//!
//! Must never read a file: what a scan does depends on the program alone.

use super::ServiceModel;
use crate::embedded::Pack;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, OnceLock};

static MODELS: Pack = include!(concat!(env!("OUT_DIR"), "/MODELS.rs"));

/// A place for each service's model, filled when it is first asked for.
static READ: LazyLock<BTreeMap<&'static str, OnceLock<Option<Arc<ServiceModel>>>>> =
    LazyLock::new(|| services().map(|name| (name, OnceLock::new())).collect());

/// The model of a service, by the name of its directory in botocore (`rds`, `elbv2`, `sso-admin`); `None` where
/// there is none of that name.
pub fn service(name: &str) -> Option<Arc<ServiceModel>> {
    READ.get(name)?.get_or_init(|| read(name).map(Arc::new)).clone()
}

/// The names of all services, sorted.
pub fn services() -> impl Iterator<Item = &'static str> {
    // Folders below `models/` hold other data.
    MODELS.names().filter(|name| !name.contains('/'))
}

/// The text of another file below `models/`, by its path without extension (`endpoints/partitions`).
pub fn data(path: &str) -> Option<String> {
    MODELS.read(path)
}

/// Unpacks and reads a model, past what is kept: for measuring.
pub fn read(name: &str) -> Option<ServiceModel> {
    serde_json::from_str(&MODELS.read(name)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ShapeRef;

    #[test]
    fn every_embedded_model_is_readable() {
        assert!(services().count() > 10);
        for name in services() {
            let model = service(name).unwrap_or_else(|| panic!("{name} is not readable"));
            assert!(!model.operations.is_empty(), "{name} has no operations");
        }
    }

    #[test]
    fn a_service_is_read_once() {
        assert!(Arc::ptr_eq(&service("ec2").unwrap(), &service("ec2").unwrap()));
    }

    #[test]
    fn a_service_that_is_not_there_is_none() {
        assert!(service("no-such-service").is_none());
    }

    #[test]
    fn every_reference_in_every_model_leads_to_a_shape() {
        for name in services() {
            let model = service(name).unwrap();
            let mut references: Vec<&ShapeRef> = Vec::new();
            for operation in model.operations.values() {
                references.extend(operation.input.iter().chain(&operation.output).chain(&operation.errors));
            }
            for shape in model.shapes.values() {
                references.extend(shape.members.iter().map(|(_, member)| member));
                references.extend([&shape.member, &shape.key, &shape.value].into_iter().flatten().map(|r| &**r));
            }
            for reference in references {
                assert!(model.shape(reference).is_some(), "{name} has no shape {}", reference.shape);
            }
        }
    }

    #[test]
    fn iam_policy_documents_are_decoded() {
        assert!(service("iam").unwrap().shapes["policyDocumentType"].percent_encoded_json);
    }
}
