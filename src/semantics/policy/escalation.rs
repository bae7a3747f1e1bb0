//! Published ways from some permissions to all: each a row with its actions and where it was published. A path
//! counts when every action of it is allowed on all resources of its kind, with nothing that bounds it. Passing a role
//! counts for the service that the path uses; what then runs with the role may be confined to some names.

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
    /// The page that describes it.
    pub source: &'static str,
}

/// One published path.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    /// The stable name.
    pub name: &'static str,
    /// The actions, all of which it takes.
    pub actions: &'static [&'static str],
    /// For paths that pass a role: the services to which passing counts, where `iam:PassedToService` names some.
    /// Two where AWS documents one in a managed policy and another in the trust policy.
    pub services: &'static [&'static str],
    /// The page that describes it.
    pub source: &'static str,
}

/// Rhino Security Labs, "AWS IAM Privilege Escalation: Methods and Mitigation", 2018.
const RHINO: &str = "https://rhinosecuritylabs.com/aws/aws-privilege-escalation-methods-mitigation/";
/// Rhino Security Labs, the second part of it, 2019.
const RHINO_2: &str = "https://rhinosecuritylabs.com/aws/aws-privilege-escalation-methods-mitigation-part-2/";
/// Bishop Fox, "IAM Vulnerable", 2021.
const BISHOP: &str = "https://github.com/BishopFox/iam-vulnerable";
/// Hacking the Cloud, "AWS IAM Privilege Escalation Techniques".
const CLOUD: &str = "https://hackingthe.cloud/aws/exploitation/iam_privilege_escalation/";
/// HackTricks Cloud, "AWS - EC2 Privesc".
const HACKTRICKS: &str =
    "https://cloud.hacktricks.wiki/en/pentesting-cloud/aws-security/aws-privilege-escalation/aws-ec2-privesc/";
/// HackTricks Cloud, "AWS - IAM Privesc".
const HACKTRICKS_IAM: &str =
    "https://cloud.hacktricks.wiki/en/pentesting-cloud/aws-security/aws-privilege-escalation/aws-iam-privesc/";
/// HackTricks Cloud, "AWS - SSO & identitystore Privesc".
const HACKTRICKS_SSO: &str = "https://cloud.hacktricks.wiki/en/pentesting-cloud/aws-security/aws-privilege-escalation/aws-sso-and-identitystore-privesc/";
/// NCC Group, Principal Mapper, the edges through CodeBuild.
const PMAPPER: &str = "https://github.com/nccgroup/PMapper/blob/master/principalmapper/graphing/codebuild_edges.py";
/// BeyondTrust, "Mapping Every Privilege Escalation Path in AWS AgentCore", 2026.
const BEYONDTRUST: &str = "https://www.beyondtrust.com/blog/entry/aws-agentcore-privilege-escalation";

/// A page of Datadog's catalogue.
macro_rules! pathfinding {
    ($id:literal) => {
        concat!("https://pathfinding.cloud/paths/", $id)
    };
}

macro_rules! path {
    ($name:literal, [$($action:literal),+], $source:expr) => {
        Path { name: $name, actions: &[$($action),+], services: &[], source: $source }
    };
    ($name:literal, pass [$($service:literal),+], [$($action:literal),+], $source:expr) => {
        Path { name: $name, actions: &["iam:PassRole", $($action),+], services: &[$($service),+], source: $source }
    };
}

/// The paths, by name. Not rows: taking a role with `sts:AssumeRole`, which is a question of its own; chains that
/// hold a shorter row and need no less of the account (`iam:PutUserPolicy` with `iam:CreateAccessKey`); deleting or
/// detaching a policy, which widens only what its Deny takes away; AWS CodeStar, which ended on 31 July 2024; and
/// launch templates with an Auto Scaling group, since AWS asks for `ec2:RunInstances` there.
pub const PATHS: &[Path] = &[
    path!("add-user-to-group", ["iam:AddUserToGroup"], RHINO),
    path!("attach-group-policy", ["iam:AttachGroupPolicy"], RHINO),
    path!("attach-role-policy", ["iam:AttachRolePolicy"], RHINO),
    path!("attach-user-policy", ["iam:AttachUserPolicy"], RHINO),
    path!("create-access-key", ["iam:CreateAccessKey"], RHINO),
    path!("create-login-profile", ["iam:CreateLoginProfile"], RHINO),
    path!("create-policy-version", ["iam:CreatePolicyVersion"], RHINO),
    path!("delete-role-permissions-boundary", ["iam:DeleteRolePermissionsBoundary"], CLOUD),
    path!("delete-user-permissions-boundary", ["iam:DeleteUserPermissionsBoundary"], CLOUD),
    path!("put-group-policy", ["iam:PutGroupPolicy"], RHINO),
    path!("put-role-permissions-boundary", ["iam:PutRolePermissionsBoundary"], CLOUD),
    path!("put-role-policy", ["iam:PutRolePolicy"], RHINO),
    path!("put-user-permissions-boundary", ["iam:PutUserPermissionsBoundary"], CLOUD),
    path!("put-user-policy", ["iam:PutUserPolicy"], RHINO),
    path!("set-default-policy-version", ["iam:SetDefaultPolicyVersion"], RHINO),
    path!("update-assume-role-policy", ["iam:UpdateAssumeRolePolicy"], CLOUD),
    path!("update-login-profile", ["iam:UpdateLoginProfile"], RHINO),
    path!("update-saml-provider", ["iam:UpdateSAMLProvider"], HACKTRICKS_IAM),
    path!("identitystore-group-membership", ["identitystore:CreateGroupMembership"], HACKTRICKS_SSO),
    path!("sso-attach-customer-policy", ["sso:AttachCustomerManagedPolicyReferenceToPermissionSet"], HACKTRICKS_SSO),
    path!("sso-create-account-assignment", ["sso:CreateAccountAssignment"], HACKTRICKS_SSO),
    path!("sso-delete-permissions-boundary", ["sso:DeletePermissionsBoundaryFromPermissionSet"], HACKTRICKS_SSO),
    path!("sso-attach-managed-policy", ["sso:AttachManagedPolicyToPermissionSet"], pathfinding!("sso-002")),
    path!("sso-put-inline-policy", ["sso:PutInlinePolicyToPermissionSet"], pathfinding!("sso-003")),
    path!(
        "agentcore-browser-session",
        ["bedrock-agentcore:StartBrowserSession", "bedrock-agentcore:ConnectBrowserAutomationStream"],
        BEYONDTRUST
    ),
    path!(
        "agentcore-code-interpreter-session",
        ["bedrock-agentcore:StartCodeInterpreterSession", "bedrock-agentcore:InvokeCodeInterpreter"],
        pathfinding!("bedrock-002")
    ),
    path!("agentcore-runtime-command", ["bedrock-agentcore:InvokeAgentRuntimeCommand"], BEYONDTRUST),
    path!("apprunner-update-service", ["apprunner:UpdateService"], pathfinding!("apprunner-002")),
    path!("batch-submit-job", ["batch:SubmitJob"], pathfinding!("batch-002")),
    path!(
        "cloudformation-change-set",
        ["cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"],
        pathfinding!("cloudformation-005")
    ),
    path!("cloudformation-update-stack", ["cloudformation:UpdateStack"], BISHOP),
    path!("codebuild-start-build", ["codebuild:StartBuild"], pathfinding!("codebuild-002")),
    path!("codebuild-start-build-batch", ["codebuild:StartBuildBatch"], pathfinding!("codebuild-003")),
    path!(
        "codedeploy-create-deployment",
        ["codedeploy:CreateDeployment", "codedeploy:RegisterApplicationRevision", "codedeploy:GetDeploymentConfig"],
        pathfinding!("codedeploy-001")
    ),
    path!("ec2-instance-connect", ["ec2-instance-connect:SendSSHPublicKey"], BISHOP),
    path!(
        "ec2-launch-template",
        ["ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate"],
        pathfinding!("ec2-004")
    ),
    path!(
        "ec2-user-data",
        ["ec2:ModifyInstanceAttribute", "ec2:StopInstances", "ec2:StartInstances"],
        pathfinding!("ec2-002")
    ),
    path!("ecs-execute-command", ["ecs:ExecuteCommand", "ecs:DescribeTasks"], pathfinding!("ecs-006")),
    path!("glue-update-dev-endpoint", ["glue:UpdateDevEndpoint"], RHINO),
    path!("lambda-update-code", ["lambda:UpdateFunctionCode"], RHINO),
    path!("lambda-update-configuration", ["lambda:UpdateFunctionConfiguration"], RHINO_2),
    path!(
        "sagemaker-notebook-lifecycle",
        [
            "sagemaker:CreateNotebookInstanceLifecycleConfig",
            "sagemaker:StopNotebookInstance",
            "sagemaker:UpdateNotebookInstance",
            "sagemaker:StartNotebookInstance"
        ],
        pathfinding!("sagemaker-005")
    ),
    path!("sagemaker-presigned-notebook", ["sagemaker:CreatePresignedNotebookInstanceUrl"], RHINO_2),
    path!("ssm-send-command", ["ssm:SendCommand"], BISHOP),
    path!("ssm-start-session", ["ssm:StartSession"], BISHOP),
    path!(
        "stepfunctions-update",
        ["states:UpdateStateMachine", "states:StartExecution"],
        pathfinding!("stepfunctions-002")
    ),
    path!(
        "pass-role-agentcore-browser",
        pass["bedrock-agentcore.amazonaws.com"],
        [
            "bedrock-agentcore:CreateBrowser",
            "bedrock-agentcore:StartBrowserSession",
            "bedrock-agentcore:ConnectBrowserAutomationStream"
        ],
        BEYONDTRUST
    ),
    path!(
        "pass-role-agentcore-code-interpreter",
        pass["bedrock-agentcore.amazonaws.com"],
        [
            "bedrock-agentcore:CreateCodeInterpreter",
            "bedrock-agentcore:StartCodeInterpreterSession",
            "bedrock-agentcore:InvokeCodeInterpreter"
        ],
        pathfinding!("bedrock-001")
    ),
    path!(
        "pass-role-agentcore-runtime",
        pass["bedrock-agentcore.amazonaws.com"],
        [
            "bedrock-agentcore:CreateAgentRuntime",
            "bedrock-agentcore:CreateAgentRuntimeEndpoint",
            "bedrock-agentcore:CreateWorkloadIdentity",
            "bedrock-agentcore:InvokeAgentRuntimeCommand"
        ],
        pathfinding!("bedrock-003")
    ),
    path!(
        "pass-role-amplify",
        pass["amplify.amazonaws.com"],
        ["amplify:CreateApp", "amplify:CreateBranch", "amplify:StartJob"],
        pathfinding!("amplify-001")
    ),
    path!("pass-role-apprunner", pass ["apprunner.amazonaws.com", "tasks.apprunner.amazonaws.com"], ["apprunner:CreateService"], pathfinding!("apprunner-001")),
    path!(
        "pass-role-autoscaling",
        pass["ec2.amazonaws.com"],
        ["autoscaling:CreateLaunchConfiguration", "autoscaling:CreateAutoScalingGroup"],
        CLOUD
    ),
    path!(
        "pass-role-autoscaling-update",
        pass["ec2.amazonaws.com"],
        ["autoscaling:CreateLaunchConfiguration", "autoscaling:UpdateAutoScalingGroup"],
        CLOUD
    ),
    path!(
        "pass-role-batch",
        pass["ecs-tasks.amazonaws.com"],
        ["batch:RegisterJobDefinition", "batch:SubmitJob"],
        pathfinding!("batch-001")
    ),
    path!("pass-role-braket", pass["braket.amazonaws.com"], ["braket:CreateJob"], pathfinding!("braket-001")),
    path!("pass-role-cloudformation", pass["cloudformation.amazonaws.com"], ["cloudformation:CreateStack"], RHINO),
    path!(
        "pass-role-cloudformation-stack-set",
        pass["cloudformation.amazonaws.com"],
        ["cloudformation:CreateStackSet", "cloudformation:CreateStackInstances"],
        pathfinding!("cloudformation-003")
    ),
    path!(
        "pass-role-cloudformation-update-stack-set",
        pass["cloudformation.amazonaws.com"],
        ["cloudformation:UpdateStackSet"],
        pathfinding!("cloudformation-004")
    ),
    path!(
        "pass-role-codebuild",
        pass["codebuild.amazonaws.com"],
        ["codebuild:CreateProject", "codebuild:StartBuild"],
        pathfinding!("codebuild-001")
    ),
    path!(
        "pass-role-codebuild-batch",
        pass["codebuild.amazonaws.com"],
        ["codebuild:CreateProject", "codebuild:StartBuildBatch"],
        pathfinding!("codebuild-004")
    ),
    path!(
        "pass-role-codebuild-update",
        pass["codebuild.amazonaws.com"],
        ["codebuild:UpdateProject", "codebuild:StartBuild"],
        PMAPPER
    ),
    path!(
        "pass-role-cognito-identity",
        pass["cognito-identity.amazonaws.com"],
        ["cognito-identity:SetIdentityPoolRoles"],
        pathfinding!("cognitoidentity-001")
    ),
    path!(
        "pass-role-datapipeline",
        pass["datapipeline.amazonaws.com"],
        ["datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition"],
        RHINO
    ),
    path!("pass-role-ec2", pass["ec2.amazonaws.com"], ["ec2:RunInstances"], RHINO),
    path!("pass-role-ec2-associate", pass["ec2.amazonaws.com"], ["ec2:AssociateIamInstanceProfile"], HACKTRICKS),
    path!("pass-role-ec2-replace", pass["ec2.amazonaws.com"], ["ec2:ReplaceIamInstanceProfileAssociation"], HACKTRICKS),
    path!("pass-role-ec2-spot", pass["ec2.amazonaws.com"], ["ec2:RequestSpotInstances"], pathfinding!("ec2-003")),
    path!(
        "pass-role-ecs",
        pass["ecs-tasks.amazonaws.com"],
        ["ecs:RegisterTaskDefinition", "ecs:RunTask"],
        pathfinding!("ecs-004")
    ),
    path!("pass-role-ecs-run-task", pass["ecs-tasks.amazonaws.com"], ["ecs:RunTask"], pathfinding!("ecs-008")),
    path!(
        "pass-role-ecs-service",
        pass["ecs-tasks.amazonaws.com"],
        ["ecs:RegisterTaskDefinition", "ecs:CreateService"],
        pathfinding!("ecs-003")
    ),
    path!("pass-role-ecs-start-task", pass["ecs-tasks.amazonaws.com"], ["ecs:StartTask"], pathfinding!("ecs-009")),
    path!("pass-role-emr", pass["ec2.amazonaws.com"], ["elasticmapreduce:RunJobFlow"], pathfinding!("emr-001")),
    path!(
        "pass-role-emr-serverless",
        pass["emr-serverless.amazonaws.com"],
        ["emr-serverless:CreateApplication", "emr-serverless:StartJobRun"],
        pathfinding!("emrserverless-001")
    ),
    path!(
        "pass-role-gamelift",
        pass["gamelift.amazonaws.com"],
        ["gamelift:CreateBuild", "gamelift:CreateFleet", "gamelift:RequestUploadCredentials"],
        pathfinding!("gamelift-001")
    ),
    path!("pass-role-glue-dev-endpoint", pass["glue.amazonaws.com"], ["glue:CreateDevEndpoint"], RHINO),
    path!(
        "pass-role-glue-job",
        pass["glue.amazonaws.com"],
        ["glue:CreateJob", "glue:StartJobRun"],
        pathfinding!("glue-003")
    ),
    path!(
        "pass-role-glue-job-trigger",
        pass["glue.amazonaws.com"],
        ["glue:CreateJob", "glue:CreateTrigger"],
        pathfinding!("glue-004")
    ),
    path!(
        "pass-role-glue-session",
        pass["glue.amazonaws.com"],
        ["glue:CreateSession", "glue:RunStatement"],
        pathfinding!("glue-007")
    ),
    path!(
        "pass-role-glue-update-job",
        pass["glue.amazonaws.com"],
        ["glue:UpdateJob", "glue:StartJobRun"],
        pathfinding!("glue-005")
    ),
    path!(
        "pass-role-glue-update-job-trigger",
        pass["glue.amazonaws.com"],
        ["glue:UpdateJob", "glue:CreateTrigger"],
        pathfinding!("glue-006")
    ),
    path!(
        "pass-role-imagebuilder",
        pass["ec2.amazonaws.com"],
        [
            "imagebuilder:CreateComponent",
            "imagebuilder:CreateImageRecipe",
            "imagebuilder:CreateInfrastructureConfiguration",
            "imagebuilder:CreateImage"
        ],
        pathfinding!("imagebuilder-001")
    ),
    path!(
        "pass-role-kinesisanalytics",
        pass["kinesisanalytics.amazonaws.com"],
        ["kinesisanalytics:CreateApplication", "kinesisanalytics:StartApplication"],
        pathfinding!("kinesisanalytics-001")
    ),
    path!(
        "pass-role-lambda-event-source",
        pass["lambda.amazonaws.com"],
        ["lambda:CreateFunction", "lambda:CreateEventSourceMapping"],
        RHINO
    ),
    path!(
        "pass-role-lambda-invoke",
        pass["lambda.amazonaws.com"],
        ["lambda:CreateFunction", "lambda:InvokeFunction"],
        RHINO
    ),
    path!(
        "pass-role-lambda-permission",
        pass["lambda.amazonaws.com"],
        ["lambda:CreateFunction", "lambda:AddPermission"],
        pathfinding!("lambda-006")
    ),
    path!(
        "pass-role-omics",
        pass["omics.amazonaws.com"],
        ["omics:CreateWorkflow", "omics:StartRun", "s3:GetObject"],
        pathfinding!("omics-001")
    ),
    path!(
        "pass-role-sagemaker-notebook",
        pass["sagemaker.amazonaws.com"],
        ["sagemaker:CreateNotebookInstance"],
        pathfinding!("sagemaker-001")
    ),
    path!(
        "pass-role-sagemaker-processing",
        pass["sagemaker.amazonaws.com"],
        ["sagemaker:CreateProcessingJob"],
        pathfinding!("sagemaker-003")
    ),
    path!(
        "pass-role-sagemaker-training",
        pass["sagemaker.amazonaws.com"],
        ["sagemaker:CreateTrainingJob"],
        pathfinding!("sagemaker-002")
    ),
    path!(
        "pass-role-scheduler",
        pass["scheduler.amazonaws.com"],
        ["scheduler:CreateSchedule"],
        pathfinding!("scheduler-001")
    ),
    path!(
        "pass-role-ssm-automation",
        pass["ssm.amazonaws.com"],
        ["ssm:CreateDocument", "ssm:StartAutomationExecution"],
        pathfinding!("ssm-003")
    ),
    path!(
        "pass-role-stepfunctions",
        pass["states.amazonaws.com"],
        ["states:CreateStateMachine", "states:StartExecution"],
        pathfinding!("stepfunctions-001")
    ),
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
        let mut statements: Vec<String> = Vec::new();
        let mut doubt = None;
        for action in path.actions {
            let starts = !path.services.is_empty() && *action != "iam:PassRole";
            let lens = Lens { passed_to: path.services, starts, own: Some(&self.own), ..Lens::default() };
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
    use super::super::principal::Identity;
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
    fn every_path_names_the_page_that_describes_it() {
        for path in PATHS {
            assert!(path.source.starts_with("https://"), "{}: {}", path.name, path.source);
            assert_eq!(path.actions[0] == "iam:PassRole", !path.services.is_empty(), "{}", path.name);
        }
    }

    #[test]
    fn passing_counts_for_each_of_the_services_that_a_path_names() {
        for path in PATHS {
            for service in path.services {
                let to_it = json!({"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*",
                    "Condition": {"StringEquals": {"iam:PassedToService": service}}});
                assert!(paths(json!([to_it, allow(&path.actions[1..])])).contains(&path.name), "{}", path.name);
            }
        }
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
    fn what_runs_with_a_passed_role_may_have_any_name() {
        let pass = json!({"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"});
        let on = |actions: &[&str], resource: &str| json!({"Effect": "Allow", "Action": actions, "Resource": resource});
        let own = "arn:aws:lambda:*:111122223333:function:app-*";
        let functions = on(&["lambda:CreateFunction", "lambda:InvokeFunction"], own);
        assert_eq!(paths(json!([pass, functions])), ["pass-role-lambda-invoke"]);
        let variable = "arn:aws:lambda:*:${aws:PrincipalAccount}:function:app-*";
        assert_eq!(paths(json!([pass, on(&["lambda:*"], variable)])).len(), 3);
        let denied = json!({"Effect": "Deny", "Action": "lambda:*", "Resource": own});
        assert!(paths(json!([pass, functions, denied])).is_empty());
        let elsewhere =
            json!({"Effect": "Deny", "Action": "lambda:*", "Resource": "arn:aws:lambda:*:*:function:other-*"});
        assert_eq!(paths(json!([pass, functions, elsewhere])).len(), 1);
        // Instances need an instance, not only a subnet to be in.
        assert!(paths(json!([pass, on(&["ec2:RunInstances"], "arn:aws:ec2:*:*:subnet/subnet-1")])).is_empty());
        let in_vpc = json!({"Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "*",
            "Condition": {"ArnEquals": {"ec2:Vpc": "arn:aws:ec2:us-east-1:111122223333:vpc/vpc-1"}}});
        assert_eq!(paths(json!([pass, in_vpc])), ["pass-role-ec2"]);
        // A named function runs with the role that it has.
        assert!(paths(json!([on(&["lambda:UpdateFunctionCode"], own)])).is_empty());
        let named = json!({"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::*:role/app-*"});
        assert!(paths(json!([named, functions])).is_empty());
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
        let own = |action: &str| {
            paths(json!([{"Effect": "Allow", "Action": action, "Resource": "arn:aws:iam::*:user/${aws:username}"}]))
        };
        assert!(own("iam:CreateAccessKey").is_empty());
        assert!(own("iam:*LoginProfile").is_empty());
        // Who may change his own permissions needs nobody else's.
        assert_eq!(own("iam:PutUserPolicy"), ["put-user-policy"]);
        assert_eq!(own("iam:AttachUserPolicy"), ["attach-user-policy"]);
        assert_eq!(own("iam:DeleteUserPermissionsBoundary"), ["delete-user-permissions-boundary"]);
    }

    /// The paths of an identity, in these groups, whose managed policy `arn:…:policy/own` has these statements.
    fn paths_of(arn: &str, groups: &[&str], statements: Value) -> Vec<&'static str> {
        let own = "arn:aws:iam::111122223333:policy/own";
        let policy = json!([{"PolicyName": own, "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}]);
        let identity = Identity { arn, organization: None, groups };
        let permissions = Permissions::read(Input::Known(&policy)).known().unwrap().of(&identity);
        permissions.escalations().known().unwrap().into_iter().map(|e| e.path).collect()
    }

    #[test]
    fn what_an_identity_may_do_to_its_own_permissions_counts() {
        let (role, user) = ("arn:aws:iam::111122223333:role/ci/deploy", "arn:aws:iam::111122223333:user/alice");
        let may = |action: &str, resource: &str| json!({"Effect": "Allow", "Action": action, "Resource": resource});
        for (arn, action, resource, path) in [
            (role, "iam:PutRolePolicy", role, "put-role-policy"),
            (role, "iam:Attach*", "arn:aws:iam::*:role/ci/*", "attach-role-policy"),
            (user, "iam:PutUserPolicy", user, "put-user-policy"),
            (user, "iam:PutUserPolicy", "arn:aws:iam::*:user/${aws:username}", "put-user-policy"),
            (user, "iam:AttachGroupPolicy", "arn:aws:iam::111122223333:group/devs", "attach-group-policy"),
            (user, "iam:AttachGroupPolicy", "arn:aws:iam::111122223333:group/eu/devs", "attach-group-policy"),
            (role, "iam:CreatePolicyVersion", "arn:aws:iam::111122223333:policy/own", "create-policy-version"),
        ] {
            assert_eq!(paths_of(arn, &["devs"], may(action, resource)), [path], "{action} on {resource}");
        }
        for (arn, action, resource) in [
            (role, "iam:PutRolePolicy", "arn:aws:iam::111122223333:role/deploy"),
            (role, "iam:PutUserPolicy", user),
            (user, "iam:PutUserPolicy", "arn:aws:iam::111122223333:user/bob"),
            (user, "iam:AttachGroupPolicy", "arn:aws:iam::111122223333:group/superdevs"),
            (role, "iam:AttachGroupPolicy", "arn:aws:iam::111122223333:group/other"),
            (role, "iam:CreatePolicyVersion", "arn:aws:iam::111122223333:policy/another"),
            (role, "iam:UpdateAssumeRolePolicy", role),
        ] {
            assert_eq!(paths_of(arn, &["devs"], may(action, resource)), [""; 0], "{action} on {resource}");
        }
        let denied = json!([may("iam:*", role), {"Effect": "Deny", "Action": "iam:Put*", "Resource": role}, {"Effect": "Deny", "Action": "iam:Attach*", "Resource": "*"}]);
        let left = paths_of(role, &[], denied);
        assert!(!left.contains(&"put-role-policy") && !left.contains(&"attach-role-policy"), "{left:?}");
    }
}
