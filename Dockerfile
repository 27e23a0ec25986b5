FROM python:3.12-slim
WORKDIR /marquee
COPY requirements.txt .
# Another index for torch, such as PyTorch's own for CPU wheels, keeps the image small: --build-arg TORCH_INDEX=address
ARG TORCH_INDEX=
RUN if [ -n "$TORCH_INDEX" ]; then pip install --no-cache-dir --index-url "$TORCH_INDEX" "$(grep '^torch==' requirements.txt)"; fi \
    && pip install --no-cache-dir -r requirements.txt
COPY . .
RUN useradd --create-home viewer && mkdir -p data/raw && chown -R viewer data
USER viewer
EXPOSE 8501
HEALTHCHECK --start-period=30s CMD python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=3)"
CMD ["streamlit", "run", "app.py", "--server.address", "0.0.0.0", "--server.headless", "true"]
