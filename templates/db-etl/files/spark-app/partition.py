"""Partitions: how they are written as arguments of the jobs, and which folders they are."""

import argparse
import re


[% render 'level.py' -%]
