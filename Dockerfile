# adaptkit on a CPU, with the embedded backbone: docker build -t adaptkit . && docker run --rm adaptkit demo
# For a GPU: --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu128, and docker run --gpus all.
FROM python:3.11-slim

ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN pip install --no-cache-dir torch --index-url ${TORCH_INDEX}

WORKDIR /src
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY adaptkit ./adaptkit
RUN pip install --no-cache-dir ".[embedded,signing,serve]"

# Nobody needs to be root to train; adapters and the cache lie in volumes.
RUN useradd --create-home adaptkit
USER adaptkit
WORKDIR /home/adaptkit
# Made by the user: a volume without a folder below it would be root's, and could not be written.
RUN mkdir .cache adapters
VOLUME ["/home/adaptkit/.cache", "/home/adaptkit/adapters"]
ENTRYPOINT ["adaptkit"]
CMD ["--help"]
