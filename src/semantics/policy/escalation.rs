//! Published ways from some permissions to all: each a row with its actions and where it was published. A path
//! counts when every action of it is allowed on all resources of its kind, with nothing that bounds it; passing a
//! role counts for the service that the path uses.

use super::grants::{Lens, Permissions};
use crate::semantics::Answer;
use serde::Serialize;

/// A way to escalate that an identity has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Escalation {
    /// The path's stable name.
    pub path: &'static str,
    /// The actions that make it up.
    pub actions: Vec<&'static str>,
    /// The statements that allow them.
    pub statements: Vec<String>,
    /// Where it was published.
    pub source: &'static str,
}

/// One published path.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    /// The stable name.
    pub name: &'static str,
    /// The actions, all of which it takes.
    pub actions: &'static [&'static str],
    /// The service that the role is passed to, for paths that pass one.
    pub service: Option<&'static str>,
    /// Where it was published.
    pub source: &'static str,
}

/// "AWS IAM Privilege Escalation: Methods and Mitigation", Rhino Security Labs, 2018, and its second part, 2019.
const RHINO: &str = "Rhino Security Labs, AWS IAM Privilege Escalation: Methods and Mitigation";
/// "IAM Vulnerable: An AWS IAM Privilege Escalation Playground", Bishop Fox, 2021.
const BISHOP: &str = "Bishop Fox, IAM Vulnerable";
/// "Investigating Privilege Escalation Methods in AWS", Bishop Fox, 2020 (Gerben Kleijn).
const KLEIJN: &str = "Bishop Fox, Privilege Escalation in AWS";
/// The catalogue pathfinding.cloud, Datadog.
const PATHFINDING: &str = "Datadog, pathfinding.cloud";
/// "Lambda layers and privilege escalation", Rhino Security Labs' Pacu, module iam__privesc_scan.
const PACU: &str = "Rhino Security Labs, Pacu iam__privesc_scan";

macro_rules! path {
    ($name:literal, [$($action:literal),+], $source:expr) => {
        Path { name: $name, actions: &[$($action),+], service: None, source: $source }
    };
    ($name:literal, pass $service:literal, [$($action:literal),+], $source:expr) => {
        Path { name: $name, actions: &["iam:PassRole", $($action),+], service: Some($service), source: $source }
    };
}

/// The paths, by name. Taking a role with `sts:AssumeRole` is a question of its own and not a row.
pub const PATHS: &[Path] = &[
    path!("add-user-to-group", ["iam:AddUserToGroup"], RHINO),
    path!("attach-group-policy", ["iam:AttachGroupPolicy"], RHINO),
    path!("attach-role-policy", ["iam:AttachRolePolicy"], RHINO),
    path!("attach-user-policy", ["iam:AttachUserPolicy"], RHINO),
    path!("create-access-key", ["iam:CreateAccessKey"], RHINO),
    path!("create-login-profile", ["iam:CreateLoginProfile"], RHINO),
    path!("create-policy-version", ["iam:CreatePolicyVersion"], RHINO),
    path!("put-group-policy", ["iam:PutGroupPolicy"], RHINO),
    path!("put-role-policy", ["iam:PutRolePolicy"], RHINO),
    path!("put-user-policy", ["iam:PutUserPolicy"], RHINO),
    path!("set-default-policy-version", ["iam:SetDefaultPolicyVersion"], RHINO),
    path!("update-assume-role-policy", ["iam:UpdateAssumeRolePolicy"], RHINO),
    path!("update-login-profile", ["iam:UpdateLoginProfile"], RHINO),
    path!(
        "cloudformation-change-set",
        ["cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"],
        PATHFINDING
    ),
    path!("cloudformation-update-stack", ["cloudformation:UpdateStack"], BISHOP),
    path!("ec2-instance-connect", ["ec2-instance-connect:SendSSHPublicKey"], BISHOP),
    path!("ec2-user-data", ["ec2:ModifyInstanceAttribute", "ec2:StopInstances", "ec2:StartInstances"], PATHFINDING),
    path!("glue-update-dev-endpoint", ["glue:UpdateDevEndpoint"], RHINO),
    path!("glue-update-job", ["glue:UpdateJob", "glue:StartJobRun"], PATHFINDING),
    path!("lambda-update-code", ["lambda:UpdateFunctionCode"], RHINO),
    path!("lambda-update-configuration", ["lambda:UpdateFunctionConfiguration"], PACU),
    path!("sagemaker-presigned-notebook", ["sagemaker:CreatePresignedNotebookInstanceUrl"], KLEIJN),
    path!("ssm-send-command", ["ssm:SendCommand"], BISHOP),
    path!("ssm-start-session", ["ssm:StartSession"], BISHOP),
    path!("pass-role-apprunner", pass "tasks.apprunner.amazonaws.com", ["apprunner:CreateService"], PATHFINDING),
    path!(
        "pass-role-autoscaling",
        pass "ec2.amazonaws.com",
        ["autoscaling:CreateLaunchConfiguration", "autoscaling:CreateAutoScalingGroup"],
        PACU
    ),
    path!(
        "pass-role-batch",
        pass "ecs-tasks.amazonaws.com",
        ["batch:RegisterJobDefinition", "batch:SubmitJob"],
        PATHFINDING
    ),
    path!("pass-role-cloudformation", pass "cloudformation.amazonaws.com", ["cloudformation:CreateStack"], RHINO),
    path!(
        "pass-role-codebuild",
        pass "codebuild.amazonaws.com",
        ["codebuild:CreateProject", "codebuild:StartBuild"],
        PATHFINDING
    ),
    path!("pass-role-codestar", pass "codestar.amazonaws.com", ["codestar:CreateProject"], PACU),
    path!(
        "pass-role-datapipeline",
        pass "datapipeline.amazonaws.com",
        ["datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition"],
        RHINO
    ),
    path!("pass-role-ec2", pass "ec2.amazonaws.com", ["ec2:RunInstances"], RHINO),
    path!("pass-role-ec2-associate", pass "ec2.amazonaws.com", ["ec2:AssociateIamInstanceProfile"], PATHFINDING),
    path!(
        "pass-role-ec2-replace",
        pass "ec2.amazonaws.com",
        ["ec2:ReplaceIamInstanceProfileAssociation"],
        PATHFINDING
    ),
    path!(
        "pass-role-ecs",
        pass "ecs-tasks.amazonaws.com",
        ["ecs:RegisterTaskDefinition", "ecs:RunTask"],
        PATHFINDING
    ),
    path!("pass-role-glue-dev-endpoint", pass "glue.amazonaws.com", ["glue:CreateDevEndpoint"], RHINO),
    path!("pass-role-glue-job", pass "glue.amazonaws.com", ["glue:CreateJob", "glue:StartJobRun"], PATHFINDING),
    path!(
        "pass-role-lambda-event-source",
        pass "lambda.amazonaws.com",
        ["lambda:CreateFunction", "lambda:CreateEventSourceMapping"],
        RHINO
    ),
    path!(
        "pass-role-lambda-invoke",
        pass "lambda.amazonaws.com",
        ["lambda:CreateFunction", "lambda:InvokeFunction"],
        RHINO
    ),
    path!(
        "pass-role-lambda-permission",
        pass "lambda.amazonaws.com",
        ["lambda:CreateFunction", "lambda:AddPermission"],
        PATHFINDING
    ),
    path!(
        "pass-role-sagemaker-notebook",
        pass "sagemaker.amazonaws.com",
        ["sagemaker:CreateNotebookInstance", "sagemaker:CreatePresignedNotebookInstanceUrl"],
        KLEIJN
    ),
    path!("pass-role-sagemaker-processing", pass "sagemaker.amazonaws.com", ["sagemaker:CreateProcessingJob"], KLEIJN),
    path!("pass-role-sagemaker-training", pass "sagemaker.amazonaws.com", ["sagemaker:CreateTrainingJob"], KLEIJN),
];

impl Permissions {
    /// The published paths that these permissions open; empty where there is none. Unknown where none is certain
    /// and some might be.
    pub fn escalations(&self) -> Answer<Vec<Escalation>> {
        let mut found = Vec::new();
        let mut doubt = None;
        for path in PATHS {
            match self.escalation(path) {
                Answer::Known(escalation) => found.extend(escalation),
                Answer::Unknown(why) => doubt = doubt.or(Some(why)),
            }
        }
        match doubt {
            Some(why) if found.is_empty() => Answer::Unknown(why),
            _ => Answer::Known(found),
        }
    }

    fn escalation(&self, path: &Path) -> Answer<Option<Escalation>> {
        let lens = Lens { passed_to: path.service, ..Lens::default() };
        let mut statements: Vec<String> = Vec::new();
        let mut doubt = None;
        for action in path.actions {
            match self.allows(action, lens) {
                Answer::Known(Some(statement)) => {
                    if !statements.contains(&statement) {
                        statements.push(statement);
                    }
                }
                Answer::Known(None) => return Answer::Known(None),
                Answer::Unknown(why) => doubt = doubt.or(Some(why)),
            }
        }
        match doubt {
            Some(why) => Answer::Unknown(why),
            None => Answer::Known(Some(Escalation {
                path: path.name,
                actions: path.actions.to_vec(),
                statements,
                source: path.source,
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::Input;
    use serde_json::{Value, json};

    fn paths(statements: Value) -> Vec<&'static str> {
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        let permissions = Permissions::read(Input::Known(&policy)).known().unwrap();
        permissions.escalations().known().unwrap().into_iter().map(|e| e.path).collect()
    }

    fn allow(actions: &[&str]) -> Value {
        json!({"Effect": "Allow", "Action": actions, "Resource": "*"})
    }

    #[test]
    fn every_path_is_found_with_its_actions_and_only_with_all_of_them() {
        for path in PATHS {
            assert!(paths(json!([allow(path.actions)])).contains(&path.name), "{}", path.name);
            for missing in path.actions {
                let rest: Vec<&str> = path.actions.iter().copied().filter(|a| a != missing).collect();
                assert!(!paths(json!([allow(&rest)])).contains(&path.name), "{} without {missing}", path.name);
            }
        }
    }

    #[test]
    fn a_deny_of_any_of_its_actions_closes_a_path() {
        for path in PATHS {
            for action in path.actions {
                let deny = json!({"Effect": "Deny", "Action": action, "Resource": "*"});
                assert!(!paths(json!([allow(path.actions), deny])).contains(&path.name), "{} / {action}", path.name);
            }
        }
    }

    #[test]
    fn names_are_unique_and_administrators_have_every_path() {
        let all = paths(json!([allow(&["*"])]));
        assert_eq!(all.len(), PATHS.len());
        let unique: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(unique.len(), PATHS.len());
    }

    #[test]
    fn a_path_can_be_split_over_policies() {
        let split = json!([
            {"PolicyName": "a", "PolicyDocument": {"Statement": allow(&["iam:Pass*"])}},
            {"PolicyName": "b", "PolicyDocument": {"Statement": allow(&["ec2:Run*"])}},
        ]);
        let permissions = Permissions::read(Input::Known(&split)).known().unwrap();
        let found = permissions.escalations().known().unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].statements, ["statement number 1 of policy 'a'", "statement number 1 of policy 'b'"]);
    }

    #[test]
    fn bounded_resources_and_services_close_a_path() {
        let named = json!([
            {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::111122223333:role/app"},
            allow(&["ec2:RunInstances"])]);
        assert!(paths(named).is_empty());
        let to = |service: &str| {
            json!([
                {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*",
                 "Condition": {"StringEquals": {"iam:PassedToService": service}}},
                allow(&["ec2:RunInstances"])])
        };
        assert!(paths(to("lambda.amazonaws.com")).is_empty());
        assert_eq!(paths(to("ec2.amazonaws.com")), ["pass-role-ec2"]);
        let own = json!([{"Effect": "Allow", "Action": "iam:CreateAccessKey", "Resource": "arn:aws:iam::*:user/${aws:username}"}]);
        assert!(paths(own).is_empty());
    }
}
