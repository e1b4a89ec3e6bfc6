# Runs on a notebook instance at every start, as root (SageMaker developer guide, "Customize a notebook instance"):
# brings the tutorials to ~/SageMaker/tutorials, a configuration for the SageMaker SDK, and starts what stops the
# instance when nobody uses it. Needs S3 and SageMaker, no internet. Whatever goes wrong is written to the log and never
# keeps the instance from starting. Nothing of it needs root, and Python's modules lie where the user may write: so
# Python runs as the user.
home=/home/ec2-user
export HOME="$home"
as=""
if [ "$(id -u)" = 0 ] && id ec2-user >/dev/null 2>&1; then as="runuser -u ec2-user --"; fi
python=""
for candidate in "$home"/anaconda3/envs/python3/bin/python "$home"/anaconda3/envs/*/bin/python python3; do
  if $as "$candidate" -c "import boto3" 2>/dev/null; then python="$candidate"; break; fi
done
if [ -z "$python" ]; then
  echo "sandcastle: no Python with boto3, so there are no tutorials, and only the schedule stops this instance"
  exit 0
fi
cd "$home/SageMaker" || exit 0
timeout 240 $as "$python" - <<'END' || echo "sandcastle: the tutorials are not complete; they are tried again at the next start"
#include deliver.py


main(lambda: (os.environ["SANDCASTLE_USER"], os.environ["SANDCASTLE_USER"] + "/"))
END
$as mkdir -p .sandcastle
log="$home/SageMaker/.sandcastle/autostop.log"
$as rm -f "$log"
# A loop of its own and not cron, which Amazon Linux 2023 does not have. All of it must be detached: SageMaker waits for
# whoever still holds this script's output.
nohup setsid $as bash -c 'exec "$1" -u - >"$2" 2>&1' watch "$python" "$log" >/dev/null 2>&1 <<'END' &
#include autostop.py
END
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -s "$log" ] && break; sleep 1; done
echo "sandcastle: ~/SageMaker/.sandcastle/autostop.log: $(head -n 1 "$log")"
exit 0
