"""How long things take on AWS, in virtual seconds, and where each number comes from.

Evidence: [R] measured or reported by others, [B] AWS's own documents, [K] general knowledge, not verified.
They shape the modelled duration of a deployment and what the meter counts; no behaviour depends on them.
"""

from __future__ import annotations

#: CreateEndpoint to InService on a CPU instance: 3-8 minutes [R facts teardown 1.10]
ENDPOINT_CREATE = 240.0
#: UpdateEndpoint: new instances, all traffic at once, old ones ended [K: create plus the switch]
ENDPOINT_UPDATE = 300.0
#: a further batch of a rolling update: as long as a fleet, without what is done once [K]
ENDPOINT_BATCH = 240.0
#: UpdateEndpointWeightsAndCapacities: weights alone, and instances that come or go [K]
ENDPOINT_WEIGHTS = 15.0
ENDPOINT_CAPACITY = 240.0
#: DeleteEndpoint until Describe finds nothing: 1-2 minutes [R Terraform's acceptance test]
ENDPOINT_DELETE = 90.0
#: what was captured and logged last arrives this long after the endpoint is gone ([R] aws/aws-cdk#16332, #31487:
#: writes after a bucket was emptied and after a log group was deleted; the length [K])
ENDPOINT_LATE_WRITES = 20.0
#: from the first crash of a container until the endpoint gives up: about 24 minutes in all [R]
ENDPOINT_CRASH_LOOP = 1200.0
#: back to the old instances after a failed update; they still run [K]
ENDPOINT_ROLLBACK = 60.0
#: a serverless endpoint's server ends after so long without a request; AWS does not say how long [K]
SERVERLESS_IDLE = 600.0
#: a job's instances are prepared (secondary status Starting) [K]
JOB_STARTING = 75.0
#: the same on a warm pool: nothing is provisioned ([DG] train-warm-pools says that it is shorter) [K]
JOB_WARM_START = 5.0
#: the image is pulled; billed, unlike the time before [K]
JOB_IMAGE_DOWNLOAD = 30.0
#: after an interruption, until there are spot instances again [K: anything from seconds to hours]
SPOT_CAPACITY = 120.0
#: a job that is stopped before its instances are up [K]
JOB_STOP_EARLY = 15.0
#: DeleteTrainingJob: status Deleting until it is gone [K]
JOB_DELETE = 10.0
#: CreateNotebookInstance and StartNotebookInstance to InService, without scripts: create and delete together took
#: 300-430 s in Terraform's acceptance test, most of it the start [R facts teardown 1.6]
NOTEBOOK_START = 210.0
#: StopNotebookInstance to Stopped [K: between one and two minutes]
NOTEBOOK_STOP = 75.0
#: UpdateNotebookInstance of a stopped instance: its settings alone change [K]
NOTEBOOK_UPDATE = 15.0
#: DeleteNotebookInstance until Describe finds nothing [R: what the acceptance test leaves]
NOTEBOOK_DELETE = 30.0
#: a monitoring schedule's changes: "updates take under a minute" [R the SDK's integration tests]
SCHEDULE_CHANGE = 30.0
#: how long Describe may show a schedule's old status after its deletion began [I]
SCHEDULE_STALE_READ = 5.0
#: a monitoring execution starts up to 20 minutes after its hour [B ScheduleConfig]
MONITORING_DELAY = 1200.0
#: DeletePipeline until the pipeline and its executions are gone [K]
PIPELINE_DELETE = 5.0
#: Describe and List find nothing right after CreateDomain [H: the CloudFormation handler sleeps for as long]
DOMAIN_UNSEEN = 5.0
#: CreateDomain to InService: 2-3 minutes [R facts teardown 1.1]
DOMAIN_CREATE = 150.0
#: the same without a home EFS, which "reduces domain creation time" [B]; how much is not said [K]
DOMAIN_CREATE_WITHOUT_EFS = 60.0
#: UpdateDomain [K]
DOMAIN_UPDATE = 15.0
#: DeleteDomain until Describe finds nothing [R Terraform's test: 412 s for create and destroy]
DOMAIN_DELETE = 120.0
#: SageMaker refers to the groups for NFS after the domain is gone: 30-60 s [R facts teardown 1.21]
NFS_GROUPS_HELD = 45.0
#: CreateUserProfile, UpdateUserProfile [K]
PROFILE_CREATE = 20.0
PROFILE_UPDATE = 5.0
#: DeleteUserProfile until it is gone: less than 1-3 minutes [R]
PROFILE_DELETE = 45.0
#: CreateSpace, UpdateSpace, DeleteSpace [K]
SPACE_CREATE = 10.0
SPACE_UPDATE = 5.0
SPACE_DELETE = 20.0
#: CreateApp to InService, the lifecycle script not counted [K]
APP_CREATE = 90.0
#: DeleteApp until Deleted: 30-60 s, up to 20 minutes reported [R facts teardown 1.4]
APP_DELETE = 45.0
#: a Deleted app is listed and described for 24 hours [H][B DescribeApp.CreationTime]
APP_REMEMBERED = 86_400.0
#: captured requests are kept in memory this long before they are written to S3 [K: "within minutes"]
CAPTURE_FLUSH = 60.0

#: size of a home EFS that holds what Studio itself puts there, GB [K]
HOME_EFS_GB = 1.0
#: part of the time that managed spot training saves: AWS says "up to 90 %", 70 % is what its examples show [B]
SPOT_SAVING = 0.7
