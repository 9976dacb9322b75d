"""The plain comments of our headers, as Doxygen wants them: /** before a declaration, /**< after it."""

import re
import sys

text = open(sys.argv[1], encoding="utf-8").read()
text = re.sub(r"^/\* -+ [^\n]*\n", "", text, flags=re.MULTILINE)          # rules between sections
text = re.sub(r"^/\* (\S+\.h) -- ", r"/** @file \1\n * ", text, count=1)  # the file's own
text = re.sub(r"^( *)/\* ", r"\1/** ", text, flags=re.MULTILINE)          # before a declaration
text = re.sub(r"([;,]) +/\* ", r"\1 /**< ", text)                         # after one
sys.stdout.write(text)
