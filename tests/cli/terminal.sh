# Raw output is not for terminals.
/usr/bin/python3 -c 'import pty; pty.openpty()' 2>/dev/null || skip "no pseudo-terminals here (/dev/pts)"
make wide wide.safetensors
make long_idx some.idx 2
/usr/bin/python3 - <<'END'
import os, pty, subprocess
terminal, other = pty.openpty()
run = subprocess.run([os.environ["BNN"], "classify", "wide.safetensors", "some.idx", "--format", "raw"], stdout=other, stderr=subprocess.PIPE)
print(run.stderr.decode(), run.returncode)
END
