# The Python client of the MusicGen service's documentation, exactly as it stands there. The test that runs it puts in
# the address of its server, and `read_bufsize=2**24`: a song is one line, and outgrows what aiohttp reads as a line.

import asyncio
import aiohttp
import json
import base64
import os

async def generate_music(description, duration=30, server_url="http://localhost:5555"):
    """生成音乐并保存到文件
    
    Args:
        description: 音乐描述
        duration: 音频时长（秒）
        server_url: 服务器地址
    """
    params = {
        "description": description,
        "duration": duration,
        "mbd": False,
        "top_k": 250,
        "top_p": 0.0,
        "temperature": 1.0,
        "cfg_coef": 3.0
    }
    
    headers = {
        "Content-Type": "application/json",
        "Accept": "text/event-stream"
    }
    
    async with aiohttp.ClientSession() as session:
        async with session.post(
            f"{server_url}/api/v1/generate_music", 
            json=params,
            headers=headers
        ) as response:
            if response.status != 200:
                error_text = await response.text()
                print(f"错误: {error_text}")
                return
                
            buffer = ""
            async for line in response.content:
                line = line.decode('utf-8')
                buffer += line
                
                if buffer.endswith('\n\n'):
                    for event_data in buffer.split('\n\n'):
                        if event_data.startswith('data: '):
                            data = json.loads(event_data[6:])
                            
                            if data["event"] == "start":
                                print("开始生成音乐...")
                            elif data["event"] == "progress":
                                print(f"生成进度: {data.get('progress', 0):.2f}%")
                            elif data["event"] == "completed":
                                print("音乐生成完成！")
                                if "audio" in data:
                                    # 保存音频文件
                                    audio_data = base64.b64decode(data["audio"])
                                    os.makedirs("output", exist_ok=True)
                                    output_file = os.path.join("output", "generated_music.wav")
                                    with open(output_file, "wb") as f:
                                        f.write(audio_data)
                                    print(f"音频已保存到: {output_file}")
                                return
                            elif data["event"] == "error":
                                print(f"错误: {data.get('message', '未知错误')}")
                                return
                    buffer = ""

# 使用示例
asyncio.run(generate_music("电子舞曲带有明亮的合成器和强烈的节拍", duration=15))
