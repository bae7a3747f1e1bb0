//! The models that are built into the program, each read when it is first asked for and kept.
//!
//! Must never read a file: what a scan does depends on the program alone.

use super::ServiceModel;
use crate::embedded::Pack;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
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

/// Reads all models that are not read yet, at once: for those who need every one of them.
pub fn load_all() {
    let names: Vec<_> = services().collect();
    names.into_par_iter().for_each(|name| {
        service(name);
    });
}

/// Unpacks and reads a model anew, whether it is kept or not: for measuring.
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
    fn all_services_can_be_read_at_once() {
        load_all();
        assert!(READ.values().all(|model| model.get().is_some_and(Option::is_some)));
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

    #[test]
    fn members_keep_the_order_of_the_model() {
        let kms = service("kms").unwrap();
        let names: Vec<&str> = kms.shapes["GetKeyPolicyRequest"].members.keys().collect();
        assert_eq!(names, ["KeyId", "PolicyName"]);
    }

    #[test]
    fn an_operation_with_pages_that_botocore_does_not_paginate_has_pagination() {
        let ec2 = service("ec2").unwrap();
        let pagination = ec2.operations["DescribeVpcBlockPublicAccessExclusions"].pagination.as_ref().unwrap();
        assert_eq!(pagination.output_token.iter().collect::<Vec<_>>(), ["NextToken"]);
    }

    #[test]
    fn no_answer_has_a_page_token_that_its_operation_does_not_turn() {
        for name in services() {
            let model = service(name).unwrap();
            for operation in model.operations.values().filter(|operation| operation.pagination.is_none()) {
                let Some(output) = operation.output.as_ref().and_then(|output| model.shape(output)) else { continue };
                let token = output
                    .members
                    .keys()
                    .find(|member| ["nexttoken", "nextmarker", "marker"].contains(&&*member.to_lowercase()));
                assert_eq!(token, None, "{name} {}", operation.name);
            }
        }
    }
}
